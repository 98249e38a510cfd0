// Carillon in a browser: an address of one's own, calls to XMPP addresses and from them.  No DOM, no dependency.
//
//   const carillon = new Carillon();
//   await carillon.attach('Anna');
//   const call = carillon.dial('alice@example.org', await carillon.devices.open());
//   call.on('track', ({ stream }) => { audio.srcObject = stream; });
//   console.log((await call.finished).text);

import { Call } from './call.js';
import { Devices } from './devices.js';
import { CarillonError, Emitter } from './events.js';
import { bareOf, keysFor, profileOf, sign } from './identity.js';
import { keep, recall } from './kept.js';
import { Link } from './link.js';
import { watchNetwork } from './network.js';
import { Outbox } from './outbox.js';
import { openStore } from './store.js';

export { Call } from './call.js';
export { Devices, DEVICE_CODES, levelMeter } from './devices.js';
export { CarillonError, CODES } from './events.js';
export { memoryStore } from './store.js';

/** @typedef {import('./link.js').Frame} Frame */
/** @typedef {import('./identity.js').Contact} Contact */
/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./call.js').Text} Text */
/**
 * The address that the server gave this page.
 * @typedef {object} Account
 * @property {string} address full, with the resource of this page
 * @property {string} bare what others dial
 * @property {string} name as the server understood it
 * @property {boolean} mayCall whether this server lets its visitors call anyone
 * @property {string} echo an address that plays back what it hears, for tests; empty if the server names none
 */
/**
 * `offline`: attach was not called, or was refused.  `connecting`: under way.  `attached`: can call and be called.  `away`: the server cannot be
 * reached; the next attempt is at retryAt.
 * @typedef {'offline' | 'connecting' | 'attached' | 'away'} State
 */
/**
 * @typedef {object} Options
 * @property {string} [url] of the WebSocket; by default `ws` beside this module
 * @property {Store} [store] where keys and contacts are kept; by default IndexedDB
 * @property {string} [origin] what the browser sends as Origin; by default the page's
 * @property {Devices} [devices]
 * @property {RTCBundlePolicy} [bundlePolicy] `max-compat` by default: each section gets a path of its own if the other side does not bundle, as Dino
 *   0.4; `balanced` has one for each kind, so a second video would not reach such a peer.  `max-bundle` cannot call it at all
 */

const ATTACH_TIMEOUT = 20_000;
// As many as the server takes in one attach.
const MOST_TICKETS = 300;
// Refusals that trying again does not mend.
const PERMANENT = ['insecure-context', 'origin-refused', 'bad_name', 'reserved_name', 'bad_signature', 'not_allowed', 'too_many', 'bad_value', 'too_long', 'missing_field', 'wrong_type'];

/**
 * The connection to one server and everything that goes on over it.  It comes back by itself when the socket breaks, and calls go on.
 *
 * Events: `state` when state or linkUp changed; `attached` each time the address was confirmed; `refused` when the server
 * did not take the name after all; `incoming` for a call that rings; `contacts` when the list changed; `text` for what somebody writes; `undelivered`
 * for a text of ours that came back; `lost` for a call that ended because this page was loaded anew, with whom to call again.
 * @extends {Emitter<{ state: State, attached: Account, refused: CarillonError, incoming: Call, contacts: Contact[], text: Text,
 *   undelivered: { to: string, message: string, text: string }, lost: { address: string, reason: string, text: string } }>}
 */
export class Carillon extends Emitter {
  /** @type {State} */
  state = 'offline';
  /** Whether the server is connected to its XMPP server: without that nobody can be called. */
  linkUp = false;
  /** The name attached or to be attached; empty before. */
  name = '';
  /** @type {Account | undefined} */
  account;
  /** Those who asked whether they may see us, and those who may. @type {Contact[]} */
  contacts = [];
  /** @type {Devices} */
  devices;

  #link;
  #origin;
  /** @type {Store} */
  #store;
  /** New with each load of the page: it tells a reload and a duplicated tab from a socket that came back. */
  #instance = randomId();
  #resume = '';
  /** @type {Set<Call>} */
  #calls = new Set();
  /** This connection has its address. */
  #confirmed = false;
  #outbox = new Outbox({
    send: (frame) => this.#request(frame),
    silent: () => this.#link.retry(),
    unknown: (id) => this.#call(id)?.lose({ reason: 'page-lost', text: 'The server does not know this call any more.' }),
  });
  /** Calls of those whom we are dialling: ours may become theirs. @type {Map<string, Frame>} */
  #crossing = new Map();
  /** Those who wait for the present attach. @type {Array<(error?: CarillonError) => void>} */
  #attaching = [];
  /** @type {import('./call.js').Port} */
  #port;
  /** @type {(() => void) | undefined} */
  #unwatch;

  /** @param {Options} [options] */
  constructor(options = {}) {
    super();
    this.#link = new Link(options.url ?? new URL('ws', import.meta.url).href.replace(/^http/, 'ws'));
    this.#origin = options.origin ?? globalThis.location?.origin ?? '';
    this.#store = options.store ?? openStore();
    this.devices = options.devices ?? new Devices();
    this.#port = {
      request: (frame) => this.#request(frame),
      deliver: (frame) => this.#outbox.deliver(frame),
      ended: (call) => this.#forgetCall(call),
      devices: this.devices,
      configuration: { bundlePolicy: options.bundlePolicy ?? 'max-compat' },
    };
    this.#link.on('state', () => this.#linkChanged());
    this.#link.on('hello', (hello) => void this.#present(hello));
    this.#link.on('frame', (frame) => this.#receive(frame));
    this.#link.on('refused', (error) => this.#attachFailed(error));
  }

  /** When the next attempt is made, as Date.now counts, while state is `away`. */
  get retryAt() {
    return this.#link.retryAt;
  }

  /** Whether this browser keeps keys and contacts: without that the address is lost with the page. */
  get lasting() {
    return !this.#store.forgetful;
  }

  /** Calls that have not ended, in the order in which they began. */
  get calls() {
    return [...this.#calls];
  }

  /**
   * Takes a name, and with it an address, and keeps it attached from now on.  Rejects when the server refuses the
   * name, or with `link-lost` when it cannot be reached in time; in the latter case it goes on trying.
   * @param {string} name
   * @returns {Promise<Account>}
   */
  async attach(name) {
    if (!globalThis.crypto?.subtle) throw new CarillonError('insecure-context', 'This page has to be opened by https to make calls.');
    if (!profileOf(name)) throw new CarillonError('bad_name', 'A name is needed.');
    if (profileOf(name) === profileOf(this.name)) {
      if (this.state === 'attached' && this.account) return this.account;
    } else {
      if (this.calls.length) throw new CarillonError('bad-state', 'The name cannot be changed in a call.');
      this.#link.stop();
      this.#settleAttach(new CarillonError('closed', 'Another name was taken meanwhile.'));
      this.account = undefined;
      this.contacts = [];
    }
    this.name = name;
    this.#resume = recall(resumeKey(name), 'sessionStorage');
    const attached = this.#attached();
    this.#unwatch ??= watchNetwork(() => this.retry());
    this.#link.start();
    this.#link.retry();
    await attached;
    if (!this.account) throw new CarillonError('closed', 'The connection was closed.');
    return this.account;
  }

  /** Says goodbye: calls end, the address goes offline.  attach brings it back. */
  close() {
    for (const call of this.calls) call.hangUp();
    this.#stop();
    this.#settleAttach(new CarillonError('closed', 'The connection was closed.'));
    this.#outbox.drop(() => true, new CarillonError('closed', 'It was not sent: the connection was closed.'));
  }

  /** Finds out now whether the server can be reached.  Done by itself when the browser says that the network changed, and after sleep. */
  retry() {
    this.#link.retry();
    for (const call of this.calls) call.networkChanged();
  }

  /**
   * Calls an address and offers what the stream has.  The call is there at once; when the server does not admit it, it ends with reason
   * `refused` and the server's code.  A call of theirs that rings may become this one.
   * @param {string} address bare or full JID
   * @param {MediaStream} stream
   */
  dial(address, stream) {
    const media = stream.getVideoTracks().length ? ['audio', 'video'] : ['audio'];
    const call = new Call(this.#port, 'outgoing', address, media);
    const before = this.calls;
    this.#calls.add(call);
    call.start(stream);
    // The server may give us the call of theirs that rings.
    void call.admission.then(() => before.find(({ id }) => id && id === call.id)?.lose({ reason: 'answered-elsewhere', text: '' }));
    return call;
  }

  /**
   * Writes a chat message to an address; what they write back comes as `text`.  Rejects when it was not sent; `undelivered` names one that came back.
   * @param {string} to
   * @param {string} body
   * @param {string} [message] its id, which nobody can guess
   * @returns {Promise<string>} the id
   */
  async sendText(to, body, message = crypto.randomUUID()) {
    await this.#request({ event: 'text', to, body, message });
    return message;
  }

  /**
   * Lets a contact know that this address can be called.
   * @param {string} address
   */
  async tell(address) {
    await this.#request({ event: 'tell', to: address });
  }

  /**
   * Lets a contact who asks see us online, so that its app offers to call.
   * @param {string} address
   */
  async approve(address) {
    await this.#keep(await this.#request({ event: 'approve', address }));
  }

  /**
   * Leaves the wish of a contact who asks unfulfilled.
   * @param {string} address
   */
  async refuse(address) {
    await this.#request({ event: 'refuse', address });
    await this.#keep({ event: 'contact', address, state: 'refused' });
  }

  /**
   * Takes a contact off the list: it sees us no longer.
   * @param {string} address
   */
  async forget(address) {
    await this.#request({ event: 'forget', address });
    await this.#keep({ event: 'contact', address, state: 'removed' });
  }

  /** @returns {Promise<void>} */
  #attached() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new CarillonError('link-lost', 'The server cannot be reached.')), ATTACH_TIMEOUT);
      const settle = (/** @type {CarillonError | undefined} */ error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      this.#attaching.push(settle);
    });
  }

  /** @param {CarillonError} [error] */
  #settleAttach(error) {
    for (const settle of this.#attaching.splice(0)) settle(error);
  }

  /** @param {Frame} hello */
  async #present(hello) {
    const name = this.name;
    const profile = profileOf(name);
    try {
      const contacts = await this.#store.contacts(profile);
      const keys = await keysFor(this.#store, name);
      const proof = await sign(keys, { domain: hello.domain, origin: this.#origin, nonce: hello.nonce, name });
      const tickets = contacts.flatMap(({ address, ticket }) => (ticket ? [{ address, ticket }] : [])).slice(-MOST_TICKETS);
      const resume = this.#resume ? { resume: this.#resume, seen: this.#link.seen } : {};
      const frame = await this.#link.request({
        event: 'attach', name, ...proof, instance: this.#instance, ...resume, contacts: tickets,
      });
      if (name === this.name) this.#takeAccount(frame, contacts);
    } catch (error) {
      if (name === this.name) this.#attachFailed(error);
    }
  }

  /**
   * @param {Frame} frame `attached`
   * @param {Contact[]} contacts
   */
  #takeAccount(frame, contacts) {
    this.#link.settled();
    const known = this.account;
    this.account = { address: frame.address, bare: frame.bare, name: frame.name, mayCall: frame.may_call !== false, echo: String(frame.echo ?? '') };
    this.#resume = String(frame.resume ?? '');
    // Without it the page gets another resource after a reload, nothing else.
    keep(resumeKey(this.name), this.#resume, 'sessionStorage');
    this.linkUp = frame.link !== false;
    this.#confirmed = true;
    this.contacts = contacts;
    if (frame.resumed !== true) this.#link.seen = 0;
    if (known && frame.resumed !== true) this.#loseCalls();
    this.#linkChanged();
    this.emit('attached', this.account);
    this.emit('contacts', contacts);
    this.#outbox.flush();
    if (known) for (const call of this.calls) call.report();
    this.#settleAttach();
  }

  /** @param {unknown} error */
  #attachFailed(error) {
    const failure = error instanceof CarillonError ? error : new CarillonError('failed', String(error));
    if (failure.code === 'link-lost') return;
    // Whoever waits hears of a store or a browser that failed, though trying goes on.
    if (failure.code === 'failed') this.#settleAttach(failure);
    if (!PERMANENT.includes(failure.code)) return this.#link.giveUp();
    this.#stop();
    this.name = '';
    this.account = undefined;
    this.#loseCalls();
    this.#settleAttach(failure);
    this.emit('refused', failure);
  }

  /** The server no longer knows the calls that we had. */
  #loseCalls() {
    this.#outbox.drop(() => true, new CarillonError('ended', 'It was not sent: the call is over.'));
    for (const call of this.calls) call.lose({ reason: 'page-lost', text: 'The call was lost together with the connection to the server.' });
  }

  #linkChanged() {
    const link = this.#link.state;
    if (link !== 'open') this.#confirmed = false;
    const state = /** @type {const} */ ({ stopped: 'offline', waiting: 'away', connecting: 'connecting', open: 'connecting' })[link];
    this.state = this.#confirmed ? 'attached' : state;
    this.emit('state', this.state);
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (frame.event === 'link') {
      this.linkUp = frame.up === true;
      return this.emit('state', this.state);
    }
    if (frame.event === 'contact') return void this.#keep(frame);
    if (frame.event === 'incoming') return this.#ring(frame);
    if (frame.event === 'admitted') return this.#admitted(frame);
    if (frame.event === 'text') return this.#hear(frame);
    if (frame.event === 'undelivered') return this.emit('undelivered', { to: String(frame.to), message: String(frame.message ?? ''), text: String(frame.text) });
    const call = this.#call(frame.call);
    if (call) return call.receive(frame);
    if (frame.event === 'ended') this.#crossing.delete(String(frame.call));
    if (frame.event === 'ended' && frame.to) this.emit('lost', { address: String(frame.to), reason: String(frame.reason), text: String(frame.text) });
  }

  /** @param {Frame} frame `text` */
  #hear({ from, name, body, stamp }) {
    /** @type {Text} */
    const text = { from: String(from), body: String(body), ...(name && { name: String(name) }), ...(stamp && { stamp: new Date(stamp) }) };
    this.emit('text', text);
    for (const call of this.calls) if (bareOf(call.address) === bareOf(text.from)) call.hear(text);
  }

  /** @param {string} id */
  #call(id) {
    return this.calls.find((call) => call.id === id);
  }

  /**
   * What was asked for on a socket that was lost meanwhile.
   * @param {Frame} frame `admitted`
   */
  #admitted(frame) {
    if (this.#outbox.settle('accept', frame) || this.#call(frame.call)) return;
    // Of a dial that has been given up.
    void this.#outbox.deliver({ event: 'hang_up', call: frame.call }).catch(() => {});
  }

  /** @param {Frame} frame */
  #ring(frame) {
    const id = String(frame.call);
    if (this.#call(id)) return;
    const ours = this.calls.find((call) => !call.id && !call.ending && bareOf(call.address) === bareOf(String(frame.from)));
    if (ours) {
      this.#crossing.set(id, frame);
      return void ours.admission.then(() => { if (this.#crossing.delete(id)) this.#ring(frame); });
    }
    const call = new Call(this.#port, 'incoming', String(frame.from), Array.isArray(frame.media) ? frame.media.map(String) : ['audio']);
    call.id = id;
    call.name = String(frame.name ?? '');
    this.#calls.add(call);
    this.emit('incoming', call);
  }

  /** @param {Frame} frame `contact` */
  async #keep(frame) {
    const address = String(frame.address);
    const profile = profileOf(this.name);
    const others = this.contacts.filter((contact) => contact.address !== address);
    const kept = frame.state === 'asks' || frame.state === 'approved';
    /** @type {Contact} */
    const contact = { address, state: frame.state === 'asks' ? 'asks' : 'approved', ...(frame.name && { name: String(frame.name) }), ...(frame.ticket ? { ticket: String(frame.ticket) } : {}) };
    this.contacts = kept ? [...others, contact] : others;
    this.emit('contacts', this.contacts);
    // A wish is the server's to remember: it tells us again after each attach.
    if (frame.state === 'asks') return;
    const { lasting } = this;
    if (kept) await this.#store.putContact(profile, contact);
    else await this.#store.deleteContact(profile, address);
    if (lasting !== this.lasting) this.emit('state', this.state);
  }

  /**
   * @param {Frame} frame
   * @returns {Promise<Frame>}
   */
  #request(frame) {
    if (this.state === 'attached') return this.#link.request(frame);
    return Promise.reject(new CarillonError('link-lost', 'There is no connection to the server.'));
  }

  /** Stays away from now on. */
  #stop() {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#link.stop();
  }

  /** @param {Call} call */
  #forgetCall(call) {
    this.#calls.delete(call);
    this.#outbox.close(call.id);
  }
}

function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// A duplicated tab starts with a copy of sessionStorage; the server sees by the instance that it is another page.
const resumeKey = (/** @type {string} */ name) => `carillon resume ${profileOf(name)}`;
