// What calls have to say to the server: kept until it is acknowledged, and said again when the socket was lost under it.

import { CarillonError } from './events.js';

/** @typedef {import('./link.js').Frame} Frame */
/** @typedef {{ frame: Frame, posted: boolean, resolve: (frame: Frame) => void, reject: (error: unknown) => void }} Entry */
/**
 * @typedef {object} Way
 * @property {(frame: Frame) => Promise<Frame>} send rejects with `link-lost` while there is no connection
 * @property {() => void} silent the server did not answer: is it still there?
 * @property {(call: string) => void} unknown the server does not know that call
 */

// All that waits is sent at once when the socket is back: with what each call may say beside its candidates that has to be less than the
// frames which the server takes in one burst (limits.frame_burst).
const MOST_WAITING = 80;
const SLOWDOWN = 1000;
/** After these a call has nothing more to say. */
const LAST = ['hang_up', 'decline'];

/** The frames of all calls that the server has not acknowledged, oldest first. */
export class Outbox {
  #way;
  /** @type {Set<Entry>} */
  #entries = new Set();

  /** @param {Way} way */
  constructor(way) {
    this.#way = way;
  }

  /**
   * Resolves with what the server answers.  Only candidates are turned away when too much waits: a call can do without some of them.
   * @param {Frame} frame
   * @returns {Promise<Frame>}
   */
  deliver(frame) {
    const { event, call } = frame;
    if (event === 'ice_candidate' && this.#entries.size >= MOST_WAITING) return Promise.reject(new CarillonError('link-lost', 'Too much is waiting for the server.'));
    // How media was is of no use once it has changed.
    if (event === 'media') this.drop((other) => other.call === call && other.event === event, new CarillonError('ended', 'It was not sent: there is later news.'));
    return new Promise((resolve, reject) => {
      const entry = { frame, posted: false, resolve, reject };
      this.#entries.add(entry);
      void this.#post(entry);
    });
  }

  /** Sends what waits, on a new connection. */
  flush() {
    for (const entry of [...this.#entries]) void this.#post(entry);
  }

  /**
   * Takes the answer to a frame that went out on an earlier connection.  False if no such frame waits.
   * @param {string} event of the frame that is answered
   * @param {Frame} answer
   */
  settle(event, answer) {
    const entry = [...this.#entries].find(({ frame }) => frame.event === event && frame.call === answer.call);
    if (!entry) return false;
    this.#entries.delete(entry);
    entry.resolve(answer);
    return true;
  }

  /**
   * @param {(frame: Frame) => boolean} which
   * @param {CarillonError} error
   */
  drop(which, error) {
    for (const entry of [...this.#entries].filter(({ frame }) => which(frame))) {
      this.#entries.delete(entry);
      entry.reject(error);
    }
  }

  /**
   * The rest of a call that is over here: the server hears of the end alone.
   * @param {string} call
   */
  close(call) {
    this.drop((frame) => frame.call === call && !LAST.includes(frame.event), new CarillonError('ended', 'It was not sent: the call is over.'));
  }

  /** @param {Entry} entry */
  async #post(entry) {
    if (entry.posted || !this.#entries.has(entry)) return;
    entry.posted = true;
    try {
      const answer = await this.#way.send(entry.frame);
      this.#entries.delete(entry);
      entry.resolve(answer);
    } catch (error) {
      entry.posted = false;
      if (this.#stays(entry.frame.event, error instanceof CarillonError ? error.code : '', entry)) return;
      this.#entries.delete(entry);
      entry.reject(error);
      if (error instanceof CarillonError && error.code === 'unknown_call') this.#way.unknown(String(entry.frame.call));
    }
  }

  /**
   * Whether the frame is sent again after that error.
   * @param {string} event
   * @param {string} code
   * @param {Entry} entry
   */
  #stays(event, code, entry) {
    if (code === 'link-lost') return true;
    if (code === 'rate_limited' && event !== 'ice_candidate') {
      setTimeout(() => void this.#post(entry), SLOWDOWN);
      return true;
    }
    // The other side would stay in a call that is over here.
    if (code === 'timeout' && LAST.includes(event)) {
      this.#way.silent();
      return true;
    }
    return false;
  }
}
