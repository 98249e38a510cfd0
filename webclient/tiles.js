// The people in a room, as tiles.

import { t } from './strings.js';
import { any, drawAvatar, element, play, show } from './view.js';

/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./member.js').Member} Member */
/** What a tile shows. @typedef {{ name: string, stream: MediaStream, picture: boolean, muted: boolean, note: string }} Face */

/** @type {Map<string, HTMLElement>} by id of the member; our own has none */
const tiles = new Map();

export const nameOf = (/** @type {Member} */ member) => member.name || t('room.nameless');

/** @param {Room} room */
export function showTiles(room) {
  const { members } = room;
  for (const [id, tile] of tiles) {
    if (id === '' || members.some((member) => member.id === id)) continue;
    void play(part(tile, HTMLVideoElement), undefined);
    tile.remove();
    tiles.delete(id);
  }
  for (const member of members) draw(tileOf(member.id), faceOf(member));
  draw(tileOf(''), { name: t('room.you', { name: room.name }), stream: room.stream, picture: room.seen, muted: !room.heard, note: '' });
  // Ours is the last.
  const list = any('tiles');
  const own = tileOf('');
  if (list.lastElementChild !== own) list.append(own);
  list.dataset.count = String(members.length + 1);
}

/** Plays what the browser did not play without a click. */
export function playAll() {
  show('room-sound', false);
  for (const tile of tiles.values()) void part(tile, HTMLVideoElement).play().catch(() => {});
}

/**
 * @param {Member} member
 * @returns {Face}
 */
function faceOf(member) {
  const { state, stream, muted } = member;
  return { name: nameOf(member), stream, picture: member.hasVideo && state !== 'failed', muted, note: state === 'connected' ? '' : t(`room.${state}`) };
}

/**
 * @param {HTMLElement} tile
 * @param {Face} face
 */
function draw(tile, { name, stream, picture, muted, note }) {
  const { member } = tile.dataset;
  tile.toggleAttribute('data-picture', picture);
  tile.toggleAttribute('data-muted', muted);
  tile.setAttribute('aria-label', [muted ? t('room.muted', { name }) : name, note].filter(Boolean).join('. '));
  const label = part(tile.querySelector('.plate') ?? tile, HTMLSpanElement);
  write(label, name);
  label.dataset.name = name;
  drawAvatar(part(tile, HTMLSpanElement), name, name);
  const words = part(tile, HTMLParagraphElement);
  write(words, note);
  words.hidden = note === '';
  // An element that was given a stream before it had tracks may stay silent.
  void play(part(tile, HTMLVideoElement), stream.getTracks().length ? stream : undefined).then((heard) => { if (!heard && member) show('room-sound', true); });
}

/** @param {string} id */
function tileOf(id) {
  const known = tiles.get(id);
  if (known) return known;
  const made = document.importNode(element('tile', HTMLTemplateElement).content, true).querySelector('li');
  if (!made) throw new Error('no tile');
  if (id) made.dataset.member = id;
  else made.dataset.own = '';
  const picture = part(made, HTMLVideoElement);
  picture.muted = id === '';
  // A phone held upright would lose most of its picture in a wide tile.
  picture.onresize = () => made.toggleAttribute('data-tall', picture.videoHeight > picture.videoWidth);
  tiles.set(id, made);
  any('tiles').append(made);
  return made;
}

/**
 * @template {HTMLElement} E
 * @param {Element} tile
 * @param {new () => E} type
 * @returns {E}
 */
function part(tile, type) {
  for (const found of tile.querySelectorAll('*')) if (found instanceof type) return found;
  throw new Error(`no ${type.name} in a tile`);
}

/**
 * @param {HTMLElement} target
 * @param {string} text
 */
function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}
