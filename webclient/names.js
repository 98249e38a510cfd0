// The name that a person gave last, for the next time, and the call that a tab was in, for after a reload.

const NAME_KEY = 'carillon name';

/** @param {string} name */
export function remember(name) {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // A browser that keeps nothing asks for the name again.
  }
}

export function remembered() {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    return '';
  }
}

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
  try {
    sessionStorage.setItem(CALL_KEY, JSON.stringify({ address, media, ...(leaving && { left: Date.now() }) }));
  } catch {
    // Then the contact is not offered to be rung again.
  }
}

/** @returns {KeptCall | undefined} */
function keptCall() {
  try {
    return JSON.parse(sessionStorage.getItem(CALL_KEY) ?? 'null') ?? undefined;
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
  if (call?.left) sessionStorage.removeItem(CALL_KEY);
  return call?.left && Date.now() - call.left < FRESH ? call : undefined;
}
