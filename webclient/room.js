// A room: each one in it is connected with each other one, media from browser to browser.  No DOM, and no key is needed.
//
//   const room = new Room();
//   room.on('change', () => draw(room.members));
//   await room.join('choir', { name: 'Anna', stream });

import { CarillonError, Emitter } from './events.js';
import { Link } from './link.js';
import { Member } from './member.js';
import { watchNetwork } from './network.js';

/** @typedef {import('./link.js').Frame} Frame */
/** `away`: the server cannot be reached, and we go in again as soon as it can; media goes on meanwhile. @typedef {'out' | 'joining' | 'joined' | 'away'} RoomState */
/**
 * @typedef {object} Entry
 * @property {string} [name] that the others see
 * @property {string} [password] the first one in a room chooses it
 * @property {MediaStream} [stream] what we send; whoever opened it closes it.  Without one we only receive
 */

// Who makes the offer.  palava's client (2.2.1) makes it
//   - on coming in, to each one present, unless its browser is Chrome;
//   - when present, to a newcomer whose user_agent is "chrome".
// We do what it does in Chrome, and give "chrome" as our user_agent in every browser, so that each pair has exactly one:
//
//   present         newcomer          offer by
//   ours            ours              the present one: the newcomer is "chrome", and offers to nobody
//   ours            palava, Chrome    us: it is "chrome", and offers to nobody
//   ours            palava, another   the newcomer: it is not "chrome", so we wait
//   palava, any     ours              the present one: we are "chrome", and offer to nobody
const USER_AGENT = 'chrome';
const offersToPresent = false;
const offersToNewcomer = (/** @type {Frame} */ newcomer) => newcomer.status?.user_agent === 'chrome';

const JOIN_TIMEOUT = 20_000;
// When we were in already these pass: our own place may not be free yet on the server.
const PASSING = ['room_full', 'too_many', 'rate_limited', 'restarting', 'timeout', 'internal'];

/**
 * A room, one at a time, over a socket of its own.  When that breaks it goes in again, as somebody new to the others.
 *
 * Events: `change` whenever anything changed, of a member too; `entered` and `left` for each who comes and goes while we are in;
 * `message` for what another one sends by sendMessage, or as palava's message; `shutdown` when the server is about to end; `refused` when we are out of
 * the room against our will.
 * @extends {Emitter<{ change: Room, entered: Member, left: Member, message: { member: Member, data: unknown }, shutdown: { seconds: number }, refused: CarillonError }>}
 */
export class Room extends Emitter {
  /** @type {RoomState} */
  state = 'out';
  /** The name of the room; empty before. */
  id = '';
  /** Our id among the members; another one after each lost socket. */
  ownId = '';
  name = '';
  muted = false;
  cameraOff = false;
  /** What we send; without tracks if nothing. */
  stream = new MediaStream();

  #link;
  #password = '';
  /** @type {Map<string, Member>} */
  #members = new Map();
  /** @type {Set<string>} the ids that we had: the server may not know yet that those are gone */
  #former = new Set();
  /** @type {RTCConfiguration} */
  #configuration = {};
  /** @type {((error?: CarillonError) => void) | undefined} */
  #settle;
  #unwatch = () => {};

  /** @param {{ url?: string }} [options] url of the WebSocket; by default `ws` beside this module */
  constructor(options = {}) {
    super();
    this.#link = new Link(options.url ?? new URL('ws', import.meta.url).href.replace(/^http/, 'ws'));
    this.#link.on('hello', () => void this.#enter());
    this.#link.on('frame', (frame) => this.#receive(frame));
    this.#link.on('refused', (error) => this.#leave(error));
    this.#link.on('state', (state) => { if (this.state === 'joined' && state !== 'open') this.#setState('away'); });
  }

  /** The others, in the order in which they came. */
  get members() {
    return [...this.#members.values()];
  }

  /** Whether the others can hear us. */
  get heard() {
    return !this.muted && this.stream.getAudioTracks().some(live);
  }

  /** Whether the others can see us. */
  get seen() {
    return !this.cameraOff && this.stream.getVideoTracks().some(live);
  }

  /**
   * Goes into a room.  Rejects with the server's code (`room_full`, `password_mismatch`, `room_id_too_long`, ...), with `link-lost` when it
   * cannot be reached, with `closed` when leave() was called meanwhile; then we are out.
   * @param {string} id
   * @param {Entry} [entry]
   * @returns {Promise<void>}
   */
  join(id, { name = '', password = '', stream } = {}) {
    if (this.state !== 'out') return Promise.reject(new CarillonError('bad-state', 'Leave the room first.', this.state));
    this.id = id;
    this.name = name.trim();
    this.#password = password;
    if (stream) this.#take(stream);
    const entered = new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
      const timer = setTimeout(() => this.#leave(new CarillonError('link-lost', 'The server cannot be reached.')), JOIN_TIMEOUT);
      this.#settle = (error) => {
        clearTimeout(timer);
        this.#settle = undefined;
        if (error) reject(error);
        else resolve();
      };
    });
    this.#setState('joining');
    this.#unwatch = watchNetwork(() => this.retry());
    this.#link.start();
    return entered;
  }

  leave() {
    this.#link.send({ event: 'leave_room' });
    this.#leave(new CarillonError('closed', 'You left the room.'));
  }

  /** Finds out now whether the server can be reached.  Done by itself when the browser says that the network changed, and after sleep. */
  retry() {
    this.#link.retry();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    this.#enable();
  }

  /** @param {boolean} off */
  turnCameraOff(off) {
    this.cameraOff = off;
    this.#enable();
  }

  /**
   * Sends that stream, or what it has now, from now on.
   * @param {MediaStream} stream
   */
  use(stream) {
    this.#take(stream);
    for (const member of this.members) member.retrack();
    this.#enable();
  }

  /** @param {string} name */
  rename(name) {
    this.name = name.trim();
    this.#tellStatus();
  }

  /**
   * Sends palava's message, which comes as `message`.
   * @param {unknown} data whatever JSON can say
   * @param {Member[]} [to] by default everybody
   */
  sendMessage(data, to = this.members) {
    for (const { id } of to) this.#link.send({ event: 'send_to_peer', peer_id: id, data: { event: 'message', data } });
  }

  /** @param {MediaStream} stream */
  #take(stream) {
    this.stream = stream;
    for (const track of stream.getTracks()) {
      // Browsers say so only of a track that nobody stopped.
      track.onended = () => { if (stream === this.stream) this.#tellStatus(); };
    }
    for (const track of stream.getAudioTracks()) track.enabled = !this.muted;
    for (const track of stream.getVideoTracks()) track.enabled = !this.cameraOff;
  }

  #enable() {
    this.#take(this.stream);
    this.#tellStatus();
  }

  get #status() {
    return { ...(this.name && { name: this.name }), user_agent: USER_AGENT, muted: !this.heard, camera: this.seen };
  }

  /** All of it each time: palava's client takes an update for the whole. */
  #tellStatus() {
    if (this.state === 'joined') this.#link.send({ event: 'update_status', status: this.#status });
    this.emit('change', this);
  }

  async #enter() {
    const password = this.#password && { password: this.#password };
    try {
      this.#joined(await this.#link.request({ event: 'join_room', room_id: this.id, status: this.#status, ...password, renew: true }));
    } catch (error) {
      this.#refused(error instanceof CarillonError ? error : new CarillonError('failed', String(error)));
    }
  }

  /** @param {Frame} frame */
  #joined(frame) {
    // Of a join that was given up meanwhile.
    if (this.state !== 'joining' && this.state !== 'away') return;
    this.#link.settled();
    this.#closeMembers();
    this.ownId = String(frame.own_id);
    this.#configuration = { iceServers: frame.ice_servers ?? [], iceTransportPolicy: frame.relay_only ? 'relay' : 'all' };
    this.state = 'joined';
    for (const peer of Array.isArray(frame.peers) ? frame.peers : []) this.#add(peer, offersToPresent);
    this.#former.add(this.ownId);
    this.emit('change', this);
    this.#settle?.();
  }

  /** @param {CarillonError} error */
  #refused(error) {
    // The link dials again by itself.
    if (error.code === 'link-lost') return;
    if (this.state === 'away' && PASSING.includes(error.code)) return this.#link.giveUp();
    const thrownOut = this.state === 'away';
    this.#leave(error);
    if (thrownOut) this.emit('refused', error);
  }

  /** @param {CarillonError} why */
  #leave(why) {
    if (this.state === 'out') return;
    this.#setState('out');
    this.#unwatch();
    this.#link.stop();
    this.#closeMembers();
    this.emit('change', this);
    this.#settle?.(why);
  }

  #closeMembers() {
    for (const member of this.members) member.close();
    this.#members.clear();
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (this.state !== 'joined') return;
    const member = this.#members.get(frame.sender_id);
    switch (frame.event) {
      case 'new_peer': return this.#welcome(frame);
      case 'ice_servers': return this.#configure(frame.ice_servers);
      case 'shutdown': return this.emit('shutdown', { seconds: Number(frame.seconds) || 0 });
      case 'peer_left': return member && this.#remove(member);
      case 'message': return member && this.emit('message', { member, data: frame.data });
      default: member?.receive(frame);
    }
  }

  /** @param {Frame} peer */
  #welcome(peer) {
    const member = this.#add(peer, offersToNewcomer(peer));
    if (!member) return;
    this.emit('entered', member);
    this.emit('change', this);
  }

  /**
   * @param {Record<string, any>} peer
   * @param {boolean} offers whether we offer to them
   */
  #add({ peer_id, status }, offers) {
    const id = String(peer_id);
    if (this.#former.has(id) || this.#members.has(id)) return undefined;
    const room = this;
    const member = new Member({
      get configuration() { return room.#configuration; },
      get stream() { return room.stream; },
      send: (data) => this.#link.send({ event: 'send_to_peer', peer_id: id, data }),
    }, id, status, offers);
    this.#members.set(id, member);
    member.on('change', () => this.emit('change', this));
    return member;
  }

  /** @param {Member} member */
  #remove(member) {
    member.close();
    this.#members.delete(member.id);
    this.emit('left', member);
    this.emit('change', this);
  }

  /** @param {unknown} servers */
  #configure(servers) {
    if (!Array.isArray(servers)) return;
    this.#configuration = { ...this.#configuration, iceServers: servers };
    for (const member of this.members) member.configure();
  }

  /** @param {RoomState} state */
  #setState(state) {
    this.state = state;
    this.emit('change', this);
  }
}

const live = (/** @type {MediaStreamTrack} */ track) => track.readyState === 'live';
