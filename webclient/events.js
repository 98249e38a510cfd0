// What both the connection and a call are made of: typed events, and the one error type of the library.

/**
 * An EventTarget whose events are declared once, as a map from type to the `detail` they carry.
 * @template {Record<string, any>} Events
 */
export class Emitter extends EventTarget {
  /**
   * Calls listener with the detail of each event of that type.  Returns a function that ends this.
   * @template {keyof Events & string} K
   * @param {K} type
   * @param {(detail: Events[K]) => void} listener
   * @returns {() => void}
   */
  on(type, listener) {
    const receive = (/** @type {Event} */ event) => listener(/** @type {CustomEvent<Events[K]>} */ (event).detail);
    this.addEventListener(type, receive);
    return () => this.removeEventListener(type, receive);
  }

  /**
   * @template {keyof Events & string} K
   * @param {K} type
   * @param {Events[K]} detail
   * @protected
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * The library's own codes, beside those of the server's protocol.  A page has a sentence for each.
 * - of the connection: `link-lost` (no connection to the server), `timeout` (it did not answer), `origin-refused` (it does not admit this site; the
 *   description says what its operator has to set), `insecure-context` (the page was not loaded by https), `closed` (close() was called);
 * - of devices: `denied`, `no-microphone`, `no-camera`, `in-use`, `media-failed`;
 * - of calls: `ended` (the call is over), `bad-state` (not possible now), `no-route` (no network path, and no relay), `video-not-taken` (the
 *   other side's app does not take it), `change-failed` (the browser could not negotiate a change), `no-tones` (the other side takes no DTMF).
 */
export const CODES = /** @type {const} */ ([
  'link-lost', 'timeout', 'origin-refused', 'insecure-context', 'closed', 'denied', 'no-microphone', 'no-camera', 'in-use', 'media-failed', 'ended', 'bad-state',
  'no-route', 'video-not-taken', 'change-failed', 'no-tones', 'failed',
]);

/** Every promise of the library that fails, fails with this.  `code` is for programs: one of CODES, or one of the server's protocol. */
export class CarillonError extends Error {
  /**
   * @param {string} code
   * @param {string} message a sentence for a person
   * @param {string} [description] what helps whoever debugs
   */
  constructor(code, message, description = '') {
    super(message);
    this.name = 'CarillonError';
    this.code = code;
    this.description = description;
  }
}
