// Whom the person wants to hear nothing of, by bare address.  It stays in this browser: who is blocked is told nothing but that the call was declined.

import { bareOf } from './identity.js';
import { keep, recall } from './kept.js';

const KEPT = 'carillon blocked';
// As long as the page, where the browser keeps nothing.
let list = '';

/** Those who are blocked.  Addresses have no blanks. */
export const blocked = () => (recall(KEPT) || list).split(' ').filter(Boolean);

export const isBlocked = (/** @type {string} */ address) => blocked().includes(bareOf(address));

/**
 * @param {string} address
 * @param {boolean} [on] false to hear of them again
 */
export function block(address, on = true) {
  const bare = bareOf(address);
  // A list of nobody is one, too.
  list = [' ', ...blocked().filter((each) => each !== bare), ...(on ? [bare] : [])].join(' ');
  keep(KEPT, list);
}
