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

/**
 * Whether the call with that address has a picture; the address is forgotten with the tab.
 * @param {string} address
 * @param {string[]} media
 */
export function rememberCall(address, media) {
  try {
    sessionStorage.setItem(CALL_KEY, JSON.stringify({ address, media }));
  } catch {
    // Then it is rung again with sound only.
  }
}

/** @param {string} address @returns {string[]} */
export function mediaOfCall(address) {
  try {
    const call = JSON.parse(sessionStorage.getItem(CALL_KEY) ?? '{}');
    return call.address === address ? call.media : ['audio'];
  } catch {
    return ['audio'];
  }
}
