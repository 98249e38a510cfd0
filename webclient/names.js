// The name that a person gave last, for the next time, and the call that a tab was in, for after a reload.

import { keep, recall } from './kept.js';

const NAME_KEY = 'carillon name';

export const remember = (/** @type {string} */ name) => keep(NAME_KEY, name);
export const remembered = () => recall(NAME_KEY);

const CALL_KEY = 'carillon call';
// Who comes back to the page later than this has not loaded it anew because of the call.
const FRESH = 60_000;

/** @typedef {{ address: string, media: string[], left?: number }} KeptCall */

/**
 * Remembers the call that this tab is in.
 * @param {string} address
 * @param {string[]} media
 * @param {boolean} leaving the page goes, and the call with it
 */
export function rememberCall(address, media, leaving) {
  keep(CALL_KEY, JSON.stringify({ address, media, ...(leaving && { left: Date.now() }) }), 'sessionStorage');
}

/** @returns {KeptCall | undefined} */
function keptCall() {
  try {
    return JSON.parse(recall(CALL_KEY, 'sessionStorage'));
  } catch {
    return undefined;
  }
}

/** What the call with that address had. @param {string} address */
export function mediaOfCall(address) {
  const call = keptCall();
  return call?.address === address ? call.media : ['audio'];
}

/** The call that ended because this page was loaded anew; once. */
export function interruptedCall() {
  const call = keptCall();
  if (call?.left) keep(CALL_KEY, '', 'sessionStorage');
  return call?.left && Date.now() - call.left < FRESH ? call : undefined;
}
