// Small things that the browser keeps for the next time.  One that keeps nothing forgets them with the page, and nobody hears of it.

/** For good, or as long as the tab is open. @typedef {'localStorage' | 'sessionStorage'} Place */

/**
 * @param {string} key
 * @param {Place} [place]
 * @returns {string} empty if there is nothing
 */
export function recall(key, place = 'localStorage') {
  try {
    return globalThis[place].getItem(key) ?? '';
  } catch {
    return '';
  }
}

/**
 * @param {string} key
 * @param {string} value
 * @param {Place} [place]
 */
export function keep(key, value, place = 'localStorage') {
  try {
    globalThis[place].setItem(key, value);
  } catch {
    // Full, or refused.
  }
}
