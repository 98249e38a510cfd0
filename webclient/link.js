// The socket to the server: dials, redials, pings, and matches results to requests.  It knows the envelope and no calls.

import { CarillonError, Emitter } from './events.js';

/** A frame of the protocol: a JSON object whose `event` names it. @typedef {{ event: string, id?: number | string, [field: string]: any }} Frame */
/** @typedef {'stopped' | 'connecting' | 'open' | 'waiting'} LinkState */
/** @typedef {{ resolve: (frame: Frame) => void, reject: (error: CarillonError) => void, timer: ReturnType<typeof setTimeout> }} Pending */

const FIRST_RETRY = 500;
const LAST_RETRY = 30_000;
const HELLO_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 15_000;
const PONG_TIMEOUT = 10_000;

// To the server 1000 means that the page said goodbye and its calls are over; a socket that is only given up must not say so.
const GOODBYE = 1000;
const GIVEN_UP = 4000;
// The server's word for: this page attached on a newer socket, do not come back.
const REPLACED = 4001;

/**
 * How long to wait before that attempt (counted from 0): doubling up to half a minute, half of it random so that the pages of a restarted server
 * do not come back all at once.
 * @param {number} attempt
 * @param {number} random in [0, 1)
 */
export function backoff(attempt, random) {
  const full = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** attempt);
  return Math.round(full / 2 + (full / 2) * random);
}

/**
 * Events: `state` for each change; `hello` with the server's first frame on a new connection; `frame` for each frame that answers no
 * request; `refused` when the server does not admit pages of this site.
 * @extends {Emitter<{ state: LinkState, hello: Frame, frame: Frame, refused: CarillonError }>}
 */
export class Link extends Emitter {
  /** @type {LinkState} */
  state = 'stopped';
  /** When the next attempt is made, as Date.now counts, while state is `waiting`. */
  retryAt = 0;
  /** The number of the last numbered frame that arrived.  Whoever is told that counting begins anew sets it to 0. */
  seen = 0;

  #url;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  #lastId = 0;
  #attempt = 0;
  /** @type {WebSocket | undefined} the socket whose pong is awaited */
  #probed;
  /** @type {ReturnType<typeof setTimeout> | undefined} of the hello, the retry or the next ping: there is never more than one of these */
  #timer;
  #pingInterval = 0;
  #asked = false;

  /** @param {string} url */
  constructor(url) {
    super();
    this.#url = url;
  }

  start() {
    this.#asked = false;
    if (this.state === 'stopped') this.#dial();
  }

  /** Tries again now rather than at the end of the wait; a connection that seems to be there has to prove it. */
  retry() {
    if (this.state === 'waiting') this.#dial();
    else if (this.state === 'open') void this.#ping();
  }

  /** The connection proved useful: the next wait is a short one again. */
  settled() {
    this.#attempt = 0;
  }

  /** Says goodbye; nothing is dialled until the next start. */
  stop() {
    this.#drop(GOODBYE);
    this.#setState('stopped');
  }

  /**
   * Sends a frame and resolves with the frame that answers it, or rejects with its error, `link-lost` or `timeout`.
   * @param {Frame} frame
   * @returns {Promise<Frame>}
   */
  request(frame) {
    return new Promise((resolve, reject) => {
      if (this.state !== 'open') return reject(lost());
      const id = ++this.#lastId;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new CarillonError('timeout', 'The server did not answer in time.'));
      }, REQUEST_TIMEOUT);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket?.send(JSON.stringify({ ...frame, id }));
    });
  }

  /**
   * Sends a frame whose result nobody waits for, if there is a connection.
   * @param {Frame} frame
   */
  send(frame) {
    if (this.state === 'open') this.#socket?.send(JSON.stringify(frame));
  }

  #dial() {
    this.#drop(GIVEN_UP);
    /** @type {WebSocket} */
    let socket;
    try {
      socket = new WebSocket(this.#url);
    } catch {
      return this.giveUp();
    }
    this.#socket = socket;
    this.#timer = setTimeout(() => this.giveUp(), HELLO_TIMEOUT);
    socket.onmessage = (event) => { if (socket === this.#socket) this.#receive(event.data); };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      if (code === REPLACED) return this.stop();
      const refused = this.state === 'connecting';
      this.giveUp();
      if (refused) void this.#askWhy();
    };
    this.#setState('connecting');
  }

  /** A browser does not tell a page why it got no socket; the same address by HTTP says whether the site was the reason. */
  async #askWhy() {
    if (this.#asked || !globalThis.fetch) return;
    this.#asked = true;
    try {
      const answer = await fetch(this.#url.replace(/^ws/, 'http'), { method: 'POST', credentials: 'omit' });
      if (answer.status === 403 && this.state !== 'stopped') this.emit('refused', new CarillonError('origin-refused', 'The server does not admit this site.', (await answer.text()).trim()));
    } catch {
      // It cannot be reached at all.
      this.#asked = false;
    }
  }

  /** @param {unknown} data */
  #receive(data) {
    const frame = parse(data);
    if (!frame) return;
    if (this.state !== 'open') {
      if (frame.event !== 'hello') return;
      this.#pingInterval = Number(frame.ping_interval) * 1000 || 0;
      this.#setState('open');
      this.#schedulePing();
      return this.emit('hello', frame);
    }
    if (typeof frame.seq === 'number') {
      if (frame.seq <= this.seen) return;
      this.seen = frame.seq;
    }
    const pending = typeof frame.id === 'number' ? this.#pending.get(frame.id) : undefined;
    if (!pending) return this.emit('frame', frame);
    this.#pending.delete(/** @type {number} */ (frame.id));
    clearTimeout(pending.timer);
    if (frame.event === 'error') pending.reject(refusal(frame));
    else pending.resolve(frame);
  }

  /** Proxies cut idle sockets, and a network that went away says nothing: ask regularly. */
  #schedulePing() {
    clearTimeout(this.#timer);
    if (this.#pingInterval) this.#timer = setTimeout(() => void this.#ping(), this.#pingInterval);
  }

  /** Asks once whether the server is there, and dials anew when no answer comes. */
  async #ping() {
    const socket = this.#socket;
    if (this.#probed === socket) return;
    this.#probed = socket;
    clearTimeout(this.#timer);
    const silent = setTimeout(() => { if (socket === this.#socket) this.#dial(); }, PONG_TIMEOUT);
    await this.request({ event: 'ping' }).catch(() => {});
    clearTimeout(silent);
    if (socket !== this.#socket) return;
    this.#probed = undefined;
    this.#schedulePing();
  }

  /** Lets go of this connection and dials again after a while, which grows until settled() is called. */
  giveUp() {
    this.#drop(GIVEN_UP);
    const delay = backoff(this.#attempt++, Math.random());
    this.retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => this.#dial(), delay);
    this.#setState('waiting');
  }

  /**
   * Lets go of the socket without waiting for it: closing one whose network is gone can take minutes.
   * @param {number} code
   */
  #drop(code) {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(code);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer } of pending) {
      clearTimeout(timer);
      reject(lost());
    }
  }

  /** @param {LinkState} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.emit('state', state);
  }
}

function lost() {
  return new CarillonError('link-lost', 'The connection to the server was lost.');
}

/**
 * @param {Frame} frame an error frame
 */
export function refusal(frame) {
  return new CarillonError(String(frame.code), String(frame.message), String(frame.description ?? ''));
}

/**
 * @param {unknown} data
 * @returns {Frame | undefined}
 */
function parse(data) {
  try {
    const frame = JSON.parse(String(data));
    return typeof frame?.event === 'string' ? frame : undefined;
  } catch {
    return undefined;
  }
}
