// The page at r/NAME: the door of a room, and the room.

import { closeMedia, DEVICE_CODES, Devices, stillOpen } from './devices.js';
import { wireMeet } from './meet.js';
import { remember, remembered } from './names.js';
import { Room } from './room.js';
import { wireLanguage } from './speak.js';
import { learn, t } from './strings.js';
import { nameOf, playAll, showTiles } from './tiles.js';
import { any, button, complain, element, errorText, hold, input, play, say, setText, show, showToggle, video } from './view.js';

/** @typedef {'video' | 'audio' | 'nothing'} Wish */

const DOOR_BUTTONS = ['room-join', 'room-join-audio', 'room-join-quiet', 'room-preview', 'room-lock'];
const COPIED = 2500;

await learn({ de: () => import('./strings/room-de.js'), en: () => import('./strings/room-en.js'), fr: () => import('./strings/room-fr.js') });

const room = new Room();
const devices = new Devices();
/** @type {MediaStream | undefined} open at the door; in the room it is the room's */
let preview;
/** What a person should know about their own devices, until they are used again. */
let trouble = '';
let ending = false;

/** The room that this page's address names. */
function linkedRoom() {
  const [, name] = /\/r\/([^/]+)$/.exec(location.pathname) ?? [];
  try {
    return decodeURIComponent(name ?? '').trim();
  } catch {
    return '';
  }
}

function wire() {
  element('room-form', HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    void enter('video');
  };
  button('room-join-audio').onclick = () => void enter('audio');
  button('room-join-quiet').onclick = () => void enter('nothing');
  button('room-preview').onclick = () => void togglePreview();
  button('room-lock').onclick = () => askPassword();
  button('room-leave').onclick = () => leave();
  button('room-mute').onclick = () => void toggle('audio');
  button('room-camera').onclick = () => void toggle('video');
  button('room-sound').onclick = playAll;
  button('room-copy').onclick = () => void copyLink();
}

function listen() {
  room.on('change', () => {
    if (room.state === 'joined') ending = false;
    if (document.body.dataset.state === 'room') render();
  });
  room.on('entered', (member) => setText('state', t('room.entered', { name: nameOf(member) })));
  room.on('left', (member) => setText('state', t('room.left', { name: nameOf(member) })));
  room.on('shutdown', () => {
    ending = true;
    render();
  });
  room.on('refused', (error) => {
    toDoor();
    showRefusal(error);
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) room.retry(); });
  addEventListener('pagehide', () => { if (room.state !== 'out') leave(); });
}

/**
 * Everything between the click and the room: name, devices, the server.
 * @param {Wish} wish
 */
async function enter(wish) {
  const field = input('room-name');
  const name = field.value.trim();
  say('room-error');
  say('room-note');
  complain(field, 'room-name-error', name ? '' : t('error.blank_name'));
  if (!name) return field.focus();
  remember(name);
  try {
    busy(t('busy.media'));
    await openPreview(wish);
    busy(t('door.joining'));
    await room.join(linkedRoom(), { name, password: input('room-password').value, stream: preview ?? new MediaStream() });
  } catch (error) {
    showPreview();
    return showRefusal(error);
  } finally {
    busy();
  }
  preview = undefined;
  trouble = '';
  document.body.dataset.state = 'room';
  showPreview();
  render();
  setText('state', t('room.joined', { people: people() }));
  any('room-heading').focus();
}

/** @param {Wish} wish */
async function openPreview(wish) {
  const wanted = { video: ['audio', 'video'], audio: ['audio'], nothing: [] }[wish];
  const kinds = preview?.getTracks().map(({ kind }) => kind) ?? [];
  if (preview && stillOpen(preview) && kinds.length === wanted.length) return;
  closeMedia(preview);
  preview = wanted.length ? await devices.open({ video: wish === 'video', small: true }) : undefined;
}

async function togglePreview() {
  const open = preview;
  preview = undefined;
  closeMedia(open);
  say('room-error');
  if (!open) {
    busy(t('busy.media'));
    await openPreview('video').catch(showRefusal);
    busy();
  }
  showPreview();
}

function showPreview() {
  const picture = (preview?.getVideoTracks().length ?? 0) > 0;
  video('room-preview-video').hidden = !picture;
  show('room-preview-empty', !picture);
  void play(video('room-preview-video'), preview);
  showToggle('room-preview', preview !== undefined, t(preview ? 'preview.off' : 'preview.on'));
}

/** @param {unknown} error */
function showRefusal(error) {
  const { code = '' } = /** @type {{ code?: string }} */ (error);
  show('room-join-quiet', DEVICE_CODES.includes(code));
  if (code !== 'password_mismatch') return say('room-error', errorText(error));
  say('room-error', t(input('room-password').value ? 'error.password_mismatch' : 'error.password_needed'));
  askPassword();
}

function askPassword() {
  show('room-password-block', true);
  show('room-lock', false);
  // Not while the buttons are held, which give the focus back.
  queueMicrotask(() => input('room-password').select());
}

/** @param {string} [text] */
function busy(text = '') {
  say('room-busy', text);
  hold(DOOR_BUTTONS, text !== '');
}

function leave() {
  room.leave();
  toDoor();
  say('room-note', t('door.left'));
}

function toDoor() {
  closeMedia(room.stream);
  ending = false;
  document.body.dataset.state = 'room-door';
  showTiles(room);
  any('room-title').focus();
}

/**
 * Mutes or unmutes; a device that is not there yet is opened.
 * @param {'audio' | 'video'} kind
 */
async function toggle(kind) {
  trouble = '';
  const on = kind === 'audio' ? room.heard : room.seen;
  const off = kind === 'audio' ? (/** @type {boolean} */ value) => room.mute(value) : (/** @type {boolean} */ value) => room.turnCameraOff(value);
  if (on || room.stream.getTracks().some((track) => track.kind === kind && track.readyState === 'live')) return off(on);
  hold(['room-mute', 'room-camera'], true);
  try {
    const { stream } = room;
    const [track] = (await devices.open({ audio: kind === 'audio', video: kind === 'video', small: true })).getTracks();
    if (!track) return;
    if (room.state === 'out' || stream !== room.stream) return track.stop();
    for (const gone of stream.getTracks()) if (gone.kind === kind) stream.removeTrack(gone);
    stream.addTrack(track);
    room.use(stream);
    off(false);
  } catch (error) {
    trouble = errorText(kind === 'audio' ? error : { code: 'no-camera' });
  } finally {
    hold(['room-mute', 'room-camera'], false);
    if (room.state !== 'out') render();
  }
}

function render() {
  showTiles(room);
  showToggle('room-mute', !room.heard, t(room.heard ? 'stage.mute' : 'stage.unmute'));
  showToggle('room-camera', !room.seen, t(room.seen ? 'stage.camera.off' : 'stage.camera.on'));
  say('room-notice', notice());
}

/** What a person should know though they are in; the most urgent one only. */
function notice() {
  if (ending) return t('room.shutdown');
  if (room.state === 'away') return t('room.away');
  if (trouble) return trouble;
  if (!room.stream.getAudioTracks().some((track) => track.readyState === 'live')) return t('room.unheard');
  return room.members.length ? '' : t('room.alone');
}

function showDoor() {
  const room = linkedRoom();
  const title = room ? t('door.title', { room }) : t('meet');
  setText('room-title', title);
  document.title = title;
}

function people() {
  const names = room.members.map(nameOf);
  return names.length ? t('room.people', { names: names.join(', ') }) : t('room.alone');
}

async function copyLink() {
  const link = location.href.replace(/[?#].*$/, '');
  try {
    await navigator.clipboard.writeText(link);
    setText('room-copy-text', t('reach.copied'));
  } catch {
    // Without leave to write the clipboard: show it, to be copied by hand.
    setText('room-copy-text', link);
  }
  setTimeout(() => setText('room-copy-text', t('room.copy')), COPIED);
}

wireLanguage(() => {
  showPreview();
  showDoor();
});
wire();
listen();
setText('room-heading', linkedRoom());
showDoor();
wireMeet();
show('room-form', linkedRoom() !== '');
show('meet-form', !linkedRoom());
input('room-name').value = remembered();
// For the console and for tests: the one instance of the library that this page uses.
Object.assign(window, { room });
