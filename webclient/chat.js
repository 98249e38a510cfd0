// Chat beside the calls: plain messages, by the address they are with.  Nothing is kept but in memory.

import { isBlocked } from './blocked.js';
import { bareOf } from './identity.js';
import { partsOf } from './links.js';
import { plural, t } from './strings.js';
import { any, button, element, errorText, fullName, input, setText, shortName, show } from './view.js';

/** @typedef {import('./carillon.js').Carillon} Carillon */
/** @typedef {{ own: boolean, body: string, at: Date, id?: string, failed?: string }} Line */

const MOST_LINES = 500;

/** @type {Map<string, { lines: Line[], unread: number }>} */
const conversations = new Map();
/** Whose conversation is on the screen; empty if none. */
let shown = '';
/** Who wrote last, of whom the letter tells. */
let writer = '';

/** @param {string} address */
function conversation(address) {
  const key = bareOf(address);
  const found = conversations.get(key) ?? { lines: [], unread: 0 };
  conversations.set(key, found);
  return found;
}

/**
 * @param {Carillon} carillon
 * @param {() => void} changed when the number of unread messages did
 */
export function wireChat(carillon, changed) {
  carillon.on('text', ({ from, name, body, stamp }) => {
    if (isBlocked(from)) return;
    const heard = conversation(from);
    add(from, { own: false, body, at: stamp ?? new Date() });
    if (bareOf(from) === shown) return;
    heard.unread++;
    writer = bareOf(from);
    showLetter(name, body);
    changed();
  });
  carillon.on('undelivered', ({ message, text }) => {
    for (const { lines } of conversations.values()) for (const line of lines) if (line.id === message) line.failed = text;
    draw();
  });
  button('letter-reply').onclick = () => {
    openChat(writer);
    changed();
  };
  button('letter-close').onclick = () => show('letter', false);
  button('chat-close').onclick = closeChat;
  any('chat').onkeydown = ({ key }) => { if (key === 'Escape') closeChat(); };
  element('chat-form', HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    void send(carillon);
  };
}

/**
 * @param {string | undefined} name
 * @param {string} body
 */
function showLetter(name, body) {
  setText('letter-text', t('chat.received', { name: fullName(name, writer), text: body }));
  show('letter', true);
}

/** @param {Carillon} carillon */
async function send(carillon) {
  const field = input('chat-text');
  const body = field.value.trim();
  const to = shown;
  if (!body || !to) return;
  field.value = '';
  /** @type {Line} */
  const line = { own: true, body, at: new Date(), id: crypto.randomUUID() };
  add(to, line);
  try {
    await carillon.sendText(to, body, line.id);
  } catch (error) {
    line.failed = errorText(error);
    draw();
  }
}

/** @param {string} address */
export const unread = (address) => conversations.get(bareOf(address))?.unread ?? 0;

/** What the button says that opens the conversation with that address. @param {string} address */
export const chatLabel = (address) => (unread(address) ? plural('chat.unread', unread(address)) : t('chat'));

/** @param {string} address */
export const chatOpen = (address) => shown === bareOf(address);

/** @param {string} address */
export function openChat(address) {
  shown = bareOf(address);
  conversation(shown).unread = 0;
  if (writer === shown) show('letter', false);
  showChat();
  show('chat', true);
  document.body.dataset.chat = '';
  input('chat-text').focus();
}

export function closeChat() {
  shown = '';
  const inside = any('chat').contains(document.activeElement);
  show('chat', false);
  delete document.body.dataset.chat;
  const opener = button('chat-open');
  if (inside && opener.offsetParent) opener.focus();
}

/** Says everything again, in the language of now. */
export function showChat() {
  const name = shortName(shown);
  setText('chat-title', t('chat.with', { name }));
  input('chat-text').setAttribute('aria-label', t('chat.text', { name }));
  draw();
}

/**
 * @param {string} address
 * @param {Line} line
 */
function add(address, line) {
  const { lines } = conversation(address);
  lines.push(line);
  if (lines.length > MOST_LINES) lines.shift();
  if (bareOf(address) === shown) draw();
}

function draw() {
  const { lines } = conversation(shown);
  const log = any('chat-log');
  show('chat-empty', lines.length === 0);
  // Those that are there already stay, or a screen reader would say them again.
  const items = [...log.children];
  if (log.dataset.with !== shown || items.length > lines.length) items.splice(0).forEach((item) => item.remove());
  log.dataset.with = shown;
  lines.forEach((line, index) => {
    const item = items[index] ?? log.appendChild(document.createElement('div'));
    const words = [line.own ? t('chat.you') : shortName(shown), line.body, line.failed ? t('chat.undelivered', { reason: line.failed }) : ''];
    if (item.children.length) return void (item.lastElementChild && setWords(item.lastElementChild, words[2] ?? ''));
    item.toggleAttribute('data-own', line.own);
    words.splice(2, 0, line.at.toLocaleTimeString(document.documentElement.lang, { hour: 'numeric', minute: '2-digit' }));
    item.append(...['unseen', 'body', 'time', 'failed'].map((name, part) => {
      const made = document.createElement('p');
      made.className = name;
      made.dir = 'auto';
      if (name === 'body') made.append(...partsOf(line.body).map((text, index) => (index % 2 ? link(text) : text)));
      else setWords(made, words[part] ?? '');
      return made;
    }));
  });
  log.scrollTop = log.scrollHeight;
}

/** The call goes on in this window. @param {string} to */
function link(to) {
  const made = document.createElement('a');
  made.textContent = made.href = to;
  made.target = '_blank';
  made.rel = 'noopener noreferrer';
  return made;
}

/**
 * @param {Element} target
 * @param {string} words
 */
function setWords(target, words) {
  if (target.textContent !== words) target.textContent = words;
  target.toggleAttribute('hidden', words === '');
}
