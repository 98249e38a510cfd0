// The sentences of the pages: a catalogue for each language, of which a page loads the one it speaks.

import { keep, recall } from './kept.js';

/** @typedef {typeof import('./strings/en.js').default} English */
/** @typedef {Record<keyof English, string>} Catalogue */
/** @typedef {Record<keyof typeof import('./strings/room-en.js').default, string>} RoomCatalogue */
/** @typedef {Record<keyof typeof import('./strings/test-en.js').default, string>} TestCatalogue */
/** @typedef {Record<keyof typeof import('./strings/missing-en.js').default, string>} MissingCatalogue */
/** @typedef {keyof Catalogue | keyof RoomCatalogue | keyof TestCatalogue} Key */
/** @typedef {Record<Language, () => Promise<{ default: Record<string, string> }>>} Loaders */
/** @typedef {keyof typeof LANGUAGES} Language */

/** The languages, as they call themselves. */
export const LANGUAGES = { de: 'Deutsch', en: 'English', fr: 'Français' };
/** Those of all pages, and of what one of them has besides. @type {Loaders[]} */
const loaders = [{ de: () => import('./strings/de.js'), en: () => import('./strings/en.js'), fr: () => import('./strings/fr.js') }];
const RIGHT_TO_LEFT = ['ar', 'ckb', 'dv', 'fa', 'he', 'ps', 'sd', 'ug', 'ur', 'yi'];
const KEPT = 'carillon language';

/** Codes that tell a programmer more than a person. */
const TECHNICAL = [
  'bad_json', 'too_deep', 'bad_id', 'no_event', 'unknown_event', 'missing_field', 'wrong_type', 'bad_value', 'binary_frame', 'already_attached',
  'raw_data', 'event_not_allowed', 'in_room', 'not_in_room', 'bad_name_type', 'status_too_large',
];

/** The language that is spoken. @type {Language} */
export let language = 'en';
/** @type {Record<string, string>} */
let catalogue = {};

await speak(preferred());

/** The language chosen here, else the first that the browser asks for and we have. */
export function preferred() {
  /** @type {readonly string[]} */
  const asked = [recall(KEPT), ...globalThis.navigator?.languages ?? []];
  return /** @type {Language} */ (asked.map((each) => each.split('-')[0] ?? '').find((each) => each in LANGUAGES) ?? 'en');
}

/**
 * Speaks that language from now on; what the page shows already is the page's to say again.
 * @param {Language} wanted
 */
export async function speak(wanted) {
  const parts = await Promise.all(loaders.map((each) => each[wanted]()));
  catalogue = Object.assign({}, ...parts.map((part) => part.default));
  language = wanted;
}

/**
 * Knows more sentences from now on.
 * @param {Loaders} more
 */
export function learn(more) {
  loaders.push(more);
  return speak(language);
}

/** @param {Language} wanted */
export function chooseLanguage(wanted) {
  keep(KEPT, wanted);
  return speak(wanted);
}

/** How that language is written. @param {string} [which] */
export function direction(which = language) {
  return RIGHT_TO_LEFT.includes(which) ? 'rtl' : 'ltr';
}

/**
 * The sentence of that key, with {placeholders} filled in.
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return fill(catalogue[key] ?? `[${key}]`, values);
}

/**
 * The sentence of that key for so many: `KEY.one`, `KEY.other` and whatever else the language tells apart.
 * @param {string} key
 * @param {number} count
 */
export function plural(key, count) {
  const kind = `${key}.${new Intl.PluralRules(language).select(count)}`;
  return t(/** @type {Key} */ (has(kind) ? kind : `${key}.other`), { count });
}

/**
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 */
function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * Whether there is such a sentence, for keys made from what the server says.
 * @param {string} key
 * @returns {key is Key}
 */
export function has(key) {
  return Object.hasOwn(catalogue, key);
}

/**
 * The key of the sentence about that code of an error or a warning; undefined if there is none.
 * @param {string} code
 * @param {string} [first] where to look first
 * @returns {Key | undefined}
 */
export function keyOf(code, first = 'error') {
  return /** @type {Key | undefined} */ ([`${first}.${code}`, `error.${code}`, ...(TECHNICAL.includes(code) ? ['error.protocol'] : [])].find(has));
}

/**
 * Minutes and seconds as a clock shows them.
 * @param {number} milliseconds
 */
export function clock(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/**
 * The address in what a person typed or pasted; undefined if that is none.
 * @param {string} text
 */
export function addressIn(text) {
  const address = text.trim().replace(/^xmpp:/i, '').split('?')[0] ?? '';
  return /^[^\s@/]+@[^\s@/]+(\/.+)?$/.test(address) ? address : undefined;
}
