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
 * Every promise of the library that fails, fails with this.  `code` is for programs: a code of the server's protocol, or one of
 * the library's own: `link-lost` (no connection to the server), `timeout` (the server did not answer), `insecure-context` (the
 * page was not loaded by https), `ended` (the call is over), `closed` (close() was called), `bad-state` (not possible now).
 */
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
