// The few things that every part of the page does with its elements.

import { direction, has, keyOf, language, t } from './strings.js';

/**
 * The element of that id, as what it is.
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} type
 * @returns {E}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`no ${type.name} #${id}`);
  return found;
}

export const button = (/** @type {string} */ id) => element(id, HTMLButtonElement);
export const input = (/** @type {string} */ id) => element(id, HTMLInputElement);
export const select = (/** @type {string} */ id) => element(id, HTMLSelectElement);
export const video = (/** @type {string} */ id) => element(id, HTMLVideoElement);
export const any = (/** @type {string} */ id) => element(id, HTMLElement);

/**
 * Shows that text there, or hides the element when there is none.
 * @param {string} id
 * @param {string} [text]
 */
export function say(id, text = '') {
  const target = any(id);
  if (target.textContent !== text) target.textContent = text;
  target.hidden = text === '';
}

/**
 * @param {string} id
 * @param {string} text
 */
export function setText(id, text) {
  const target = any(id);
  if (target.textContent !== text) target.textContent = text;
}

/**
 * @param {string} id
 * @param {boolean} visible
 */
export function show(id, visible) {
  any(id).hidden = !visible;
}

/** @type {Element | null} the button that had the focus when it was disabled, which takes the focus away */
let held = null;

/**
 * While one answer is being worked on these take no other; the focus comes back to them.
 * @param {string[]} ids of buttons
 * @param {boolean} busy
 */
export function hold(ids, busy) {
  const focused = document.activeElement;
  if (busy && focused && ids.includes(focused.id)) held = focused;
  for (const id of ids) button(id).disabled = busy;
  if (busy) return;
  if (held instanceof HTMLElement && (!focused || focused === document.body)) held.focus();
  held = null;
}

/**
 * Shows a button that turns something on or off.  Its words say what a press does, so it is not one that is pressed or not.
 * @param {string} id
 * @param {boolean} active whether the state is the special one, which the button's look shows
 * @param {string} words
 */
export function showToggle(id, active, words) {
  button(id).toggleAttribute('data-active', active);
  setText(`${id}-text`, words);
}

/**
 * A field that is wrong is marked, and its sentence shown.
 * @param {HTMLInputElement} field
 * @param {string} errorId
 * @param {string} [text]
 */
export function complain(field, errorId, text = '') {
  if (text) field.setAttribute('aria-invalid', 'true');
  else field.removeAttribute('aria-invalid');
  say(errorId, text);
}

/**
 * @param {HTMLVideoElement} target
 * @param {MediaStream | undefined} stream
 * @returns {Promise<boolean>} false when the browser wants a click before it plays sound
 */
export async function play(target, stream) {
  if (target.srcObject !== (stream ?? null)) target.srcObject = stream ?? null;
  if (!stream || !target.paused) return true;
  try {
    await target.play();
    return true;
  } catch (error) {
    return !(error instanceof Error && error.name === 'NotAllowedError');
  }
}

/**
 * The letter of a person, on a colour that stays with the address.
 * @param {string | HTMLElement} place the element or its id
 * @param {string} name
 * @param {string} address
 */
export function drawAvatar(place, name, address) {
  let hash = 0;
  for (const character of address) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 6;
  const target = typeof place === 'string' ? any(place) : place;
  target.textContent = ([...name][0] ?? '?').toLocaleUpperCase(language);
  target.dataset.colour = String(hash);
}

/**
 * What a person calls that address: its local part, of a guest's without what makes it unique.
 * @param {string} address
 */
export function shortName(address) {
  const local = address.split('@')[0] ?? '';
  return local.replace(/-[a-z2-7]{16}$/, '') || address;
}

/**
 * Who somebody is, in a sentence: what they say to be called, with their address unless that says the same.
 * @param {string | undefined} name
 * @param {string} address
 */
export function fullName(name = '', address) {
  const short = shortName(address);
  const plain = name.replace(/ \(guest\)$/, '');
  return !plain || plain.toLowerCase() === short.toLowerCase() ? plain || short : `\u2068${name}\u2069 (${address})`;
}

/**
 * What went wrong, in words: the page's own for the codes it knows, else those of the server.
 * @param {unknown} error
 */
export function errorText(error) {
  const { code = '', message = '', description = '' } = /** @type {{ code?: string, message?: string, description?: string }} */ (error ?? {});
  const key = keyOf(code);
  return key ? t(key) : sentence(description || message) || t('error.failed');
}

/**
 * What the server says, as a sentence.
 * @param {string} text
 */
export function sentence(text) {
  const first = text.slice(0, 1).toLocaleUpperCase(language);
  return text && first + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}

/** Puts the language's sentences into the document. */
export function translate() {
  document.documentElement.lang = language;
  document.documentElement.dir = direction();
  const put = (/** @type {string} */ attribute, /** @type {(target: Element, text: string) => void} */ write) => {
    for (const target of document.querySelectorAll(`[${attribute}]`)) {
      const key = target.getAttribute(attribute) ?? '';
      write(target, has(key) ? t(key) : `[${key}]`);
    }
  };
  put('data-t', (target, text) => { if (target.textContent !== text) target.textContent = text; });
  put('data-t-label', (target, text) => target.setAttribute('aria-label', text));
  put('data-t-placeholder', (target, text) => target.setAttribute('placeholder', text));
  put('data-t-alt', (target, text) => target.setAttribute('alt', text));
}
