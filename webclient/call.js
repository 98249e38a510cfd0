// One call: what the server says about it and what the person does in it, as one state that always comes to an end.

import { CarillonError, Emitter } from './events.js';
import { Local } from './local.js';
import { Peer } from './peer.js';
import { Recovery } from './recovery.js';
import { Remote } from './remote.js';
import { Gauge } from './stats.js';

/** @typedef {import('./link.js').Frame} Frame */
/** @typedef {import('./devices.js').Kind} Kind */
/** @typedef {import('./stats.js').Statistics} Statistics */

/**
 * `dialing`: asked for, nothing heard yet.  `ringing`: the contact's device rings.  `incoming`: we are being rung.  `connecting`: answered, media is being set up.
 * @typedef {'dialing' | 'ringing' | 'incoming' | 'connecting' | 'connected' | 'ended'} CallState
 */
/** Why it ended: an outcome of the server's, or `refused`, `link-lost`, `failed` of our own.  `code` says more, if there is more. @typedef {{ reason: string, text: string, code?: string }} Ending */
/** What somebody writes; `name` is what they say to be called. @typedef {{ from: string, name?: string, body: string, stamp?: Date }} Text */
/**
 * What a call needs of its connection.  `request` fails when the link is down; `deliver` keeps the frame until the server acknowledged it.
 * @typedef {object} Port
 * @property {(frame: Frame) => Promise<Frame>} request
 * @property {(frame: Frame) => Promise<Frame>} deliver
 * @property {(call: Call) => void} ended
 * @property {import('./devices.js').Devices} devices
 * @property {RTCConfiguration} configuration
 */

// The server times every state; these only end a call that the server can no longer tell us about.
const STATE_GUARD = 100_000;
const FAILED_GUARD = 20_000;

/**
 * A call.  Made by Carillon.dial, or by Carillon's `incoming` event.  The streams it is given are its own from then on: it stops their tracks when it
 * replaces them and when it ends.
 *
 * Events: `change` whenever any property changed; `track` for what arrives; `warning` for what a person should know though the call goes on (a code, and
 * words where the server has some); `text` for what the other side writes; `ended` once.
 * @extends {Emitter<{ change: Call, track: { track: MediaStreamTrack, stream: MediaStream }, warning: { code: string, text: string }, text: Text, ended: Ending }>}
 */
export class Call extends Emitter {
  /** The server's id of the call; empty until it was admitted. */
  id = '';
  /** What the caller says to be called, or empty.  Anybody can say anything: show it beside the address. */
  name = '';
  /** @type {CallState} */
  state;
  /** When media was first connected, as Date.now counts; 0 before. */
  connectedAt = 0;
  /** @type {Ending | undefined} */
  ending;
  /** Resolves when the call has ended; never rejects. @type {Promise<Ending>} */
  finished;

  #port;
  #local;
  #remote = new Remote();
  #recovery;
  /** @type {Peer | undefined} */
  #peer;
  /** Done when the server has given us the call, or not. @type {Promise<void>} */
  admission = Promise.resolve();
  #gauge = new Gauge();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #guard;
  #noRoute = false;
  /** They called: theirs is the first offer. */
  #called;
  /** The other side took our call. */
  #answered = false;
  /** @type {(ending: Ending) => void} */
  #finish = () => {};

  /**
   * @param {Port} port
   * @param {'incoming' | 'outgoing'} direction
   * @param {string} address bare address of the other side, or as it was dialled
   * @param {string[]} media `audio`, or `audio` and `video`
   */
  constructor(port, direction, address, media) {
    super();
    this.#port = port;
    this.direction = direction;
    this.#called = direction === 'incoming';
    this.address = address;
    this.media = media;
    this.state = direction === 'incoming' ? 'incoming' : 'dialing';
    this.finished = new Promise((resolve) => { this.#finish = resolve; });
    this.#local = new Local(port.devices, {
      peer: () => this.#peer,
      changed: () => this.#changed(),
      warn: (code, text) => this.emit('warning', { code, text }),
      inform: (info, mid) => this.#tell({ event: 'session_info', info, ...(mid && { mid }) }),
    });
    this.#recovery = new Recovery(() => this.#peer, () => this.#called);
    this.#arm();
  }

  /** Microphone and camera. */
  get localStream() { return this.#local.stream; }
  /** Our screen, while it is shared. */
  get screen() { return this.#local.screen; }
  get muted() { return this.#local.muted; }
  get cameraOff() { return this.#local.cameraOff; }
  get held() { return this.#local.held; }
  /** Whether our camera is part of the call, switched off or not. */
  get hasVideo() { return this.#local.track('video') !== undefined; }
  /** What we no longer send though the call goes on: a device was unplugged, or its permission taken back. */
  get lostMedia() { return this.#local.lost; }
  /** Their sound and camera: the same object from the first track on. */
  get remoteStream() { return this.#remote.stream; }
  /** Their screen, while they share it. */
  get remoteScreen() { return this.#remote.screen; }
  /** What the other side says of itself. */
  get remote() { return this.#remote.says; }
  /** Whether the other side's picture can be seen now. */
  get hasRemoteVideo() { return this.#remote.visible; }
  /** Media broke and may come back. */
  get interrupted() { return this.#recovery.interrupted; }
  /** Whether the other side takes tones. */
  get takesTones() { return this.#local.tones !== undefined; }

  /**
   * Asks the server for the call and offers what the stream has.  Carillon.dial calls this.
   * @param {MediaStream} stream
   */
  start(stream) {
    this.#local.take(stream);
    this.#admit(() => this.#port.request({ event: 'dial', to: this.address }), (frame) => {
      this.id = String(frame.call);
      if (this.ending) return this.#tell({ event: 'hang_up' });
      if (typeof frame.to === 'string') this.address = frame.to;
      const peer = this.#open(frame);
      // They have called us at the same moment.
      this.#called = frame.called === true;
      if (this.#called) return;
      for (const kind of this.media) peer.add(/** @type {Kind} */ (kind));
      peer.negotiate().catch(() => {});
    }).catch(() => {});
  }

  /**
   * Answers an incoming call with what the stream has.  Resolves when the server gave us the call; rejects when it did
   * not (taken by another page, over already), and then the call has ended.
   * @param {MediaStream} stream
   * @returns {Promise<void>}
   */
  accept(stream) {
    if (this.state !== 'incoming') return Promise.reject(new CarillonError('bad-state', 'There is no call to answer.', this.state));
    this.#local.take(stream);
    this.#setState('connecting');
    return this.#admit(() => this.#port.deliver({ event: 'accept', call: this.id }), (frame) => { if (!this.ending) this.#open(frame); });
  }

  decline() {
    if (this.state !== 'incoming') return;
    this.abort({ reason: 'declined', text: 'You declined the call.' });
  }

  hangUp() {
    if (this.state === 'incoming') return this.decline();
    this.abort(this.#answered || this.direction === 'incoming' ? { reason: 'hung-up', text: 'You ended the call.' } : { reason: 'cancelled', text: 'You cancelled the call.' });
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#local.mute(muted);
  }

  /**
   * Stops the picture at once; removeVideo lets go of the camera.
   * @param {boolean} off
   */
  turnCameraOff(off) {
    this.#local.turnCameraOff(off);
  }

  /**
   * Puts the other side on hold: nothing is sent or played meanwhile.
   * @param {boolean} held
   */
  hold(held) {
    this.#local.hold(held);
  }

  /**
   * Adds the camera.  Rejects with a code of devices or `video-not-taken`, and the call goes on as it was.
   * @param {MediaStream} [stream] by default the chosen camera
   */
  async addVideo(stream) {
    await this.#local.addVideo(stream);
  }

  /** Lets go of the camera; the other side's picture stays. */
  async removeVideo() {
    await this.#local.removeVideo();
  }

  /**
   * Shares a screen or window beside the camera, or in its place where the other side takes no second picture.  Rejects with `denied` when nothing
   * was chosen, or with `video-not-taken`.
   * @param {MediaStream} [stream] by default the browser asks which
   */
  async shareScreen(stream) {
    await this.#local.shareScreen(stream);
  }

  async stopScreen() {
    await this.#local.stopScreen();
  }

  /**
   * Sends tones as a telephone does (RFC 4733), after those under way.  Throws `no-tones` or `bad_value`.
   * @param {string} tones 0 to 9, A to D, # and *; a comma is a pause of two seconds
   */
  sendTones(tones) {
    this.#local.sendTones(tones);
  }

  /**
   * Writes a chat message to the other side, as Carillon.sendText does.
   * @param {string} body
   * @param {string} [message] its id, which nobody can guess
   * @returns {Promise<string>} the id
   */
  async sendText(body, message = crypto.randomUUID()) {
    await this.#port.request({ event: 'text', to: this.address, body, message });
    return message;
  }

  /** How the connection has been since this was asked last; undefined before there is one. @returns {Promise<Statistics | undefined>} */
  async statistics() {
    const report = await this.getStats();
    return report && this.#gauge.read(report);
  }

  /** What the browser measures, as it tells it. @returns {Promise<RTCStatsReport> | undefined} */
  getStats() {
    return this.#peer?.pc.getStats();
  }

  /** Looks for another network path; done by itself when the present one breaks. */
  restart() {
    this.#recovery.restart();
  }

  /**
   * Takes a frame of the server about this call.  Frames of events that this version does not know change nothing.
   * @param {Frame} frame
   */
  receive(frame) {
    switch (frame.event) {
      case 'ringing': if (this.state === 'dialing') this.#setState('ringing'); break;
      case 'proceeding': if (this.direction === 'outgoing') this.#setState('connecting'); break;
      case 'offer': this.#answered = true; void this.admission.then(() => this.#peer?.take('offer', frame.sdp)); break;
      case 'answer': this.#answered = true; this.#peer?.take('answer', frame.sdp); break;
      case 'ice_candidate': void this.admission.then(() => this.#peer?.takeCandidate(frame)); break;
      case 'ice_servers': if (Array.isArray(frame.ice_servers)) this.#peer?.configure(frame.ice_servers); break;
      case 'session_info': this.#informed(frame); break;
      case 'warning': this.#warned(String(frame.code), String(frame.text ?? '')); break;
      case 'ended': this.lose({ reason: String(frame.reason), text: String(frame.text ?? '') }); break;
    }
  }

  /** @param {Text} text */
  hear(text) {
    this.emit('text', text);
  }

  /** Says again how media is, after a time without a connection; the server answers whether it still knows the call. */
  report() {
    if (this.id) this.#tell({ event: 'media', state: this.#peer?.pc.connectionState ?? 'new' });
  }

  /** The network is another one: a path that breaks now is not waited for. */
  networkChanged() {
    this.#recovery.networkChanged();
  }

  /**
   * Ends the call from this side; the server is told if it knows the call.
   * @param {Ending} ending
   */
  abort(ending) {
    if (this.ending) return;
    if (this.id) this.#tell({ event: this.state === 'incoming' ? 'decline' : 'hang_up' });
    this.lose(ending);
  }

  /**
   * Ends the call because the server has ended it.
   * @param {Ending} ending
   */
  lose(ending) {
    if (this.ending) return;
    this.ending = this.#noRoute && ending.reason === 'no-connection' ? { ...ending, code: 'no-route' } : ending;
    this.state = 'ended';
    clearTimeout(this.#guard);
    this.#recovery.close();
    this.#peer?.close();
    this.#peer = undefined;
    this.#local.close();
    this.#port.ended(this);
    this.#changed();
    this.emit('ended', this.ending);
    this.#finish(this.ending);
  }

  /**
   * @param {() => Promise<Frame>} ask
   * @param {(frame: Frame) => void} take
   * @returns {Promise<void>} rejects when it failed, which ends the call as well
   */
  #admit(ask, take) {
    const admitted = ask().then((frame) => {
      take(frame);
      if (this.ending) throw new CarillonError('ended', 'The call is over.');
    });
    this.admission = admitted.catch((error) => this.#fail(error));
    return admitted;
  }

  /** @param {Frame} frame `admitted` */
  #open(frame) {
    /** @type {RTCConfiguration} */
    const configuration = { ...this.#port.configuration, iceTransportPolicy: frame.relay_only ? 'relay' : 'all', iceServers: frame.ice_servers ?? [] };
    return this.#peer = new Peer(configuration, {
      tell: (told) => this.#tell(told),
      sending: () => this.localStream,
      changed: (track) => this.#mediaArrived(track),
      connection: (state) => this.#mediaChanged(state),
      followed: () => this.#recovery.followed(),
      failed: (error) => this.#fail(error),
    });
  }

  /** @param {MediaStreamTrack} [arrived] */
  #mediaArrived(arrived) {
    const { remote, settled } = this.#peer ?? {};
    this.#remote.take(remote);
    if (arrived) {
      arrived.enabled = !this.held;
      const stream = remote?.main.includes(arrived) ? this.remoteStream : this.remoteScreen;
      if (stream) this.emit('track', { track: arrived, stream });
    }
    if (this.connectedAt) this.#local.review();
    if (settled && (this.state === 'dialing' || this.state === 'ringing')) this.#setState('connecting');
    else if (!this.ending) this.#changed();
  }

  /** @param {Frame} frame `session_info` */
  #informed({ info, mid }) {
    this.#remote.hear(info, mid ? this.#peer?.pc.getTransceivers().find((each) => each.mid === mid)?.receiver.track.kind : '');
    this.#changed();
  }

  /**
   * @param {string} code
   * @param {string} text
   */
  #warned(code, text) {
    if (code === 'no-restart') this.#recovery.possible = false;
    if (code === 'no-route') this.#noRoute = true;
    this.emit('warning', { code, text });
  }

  /** @param {RTCPeerConnectionState} state */
  #mediaChanged(state) {
    if (this.ending) return;
    this.#recovery.observe(state);
    if (this.interrupted || state === 'connected') this.report();
    if (state === 'connected') {
      this.#noRoute = false;
      const first = !this.connectedAt;
      this.connectedAt ||= Date.now();
      this.#setState('connected');
      if (first) {
        this.#local.sayAgain();
        this.#local.review();
        // Who dialled with a camera shows it, whoever's call it became.
        if (this.#called && this.direction === 'outgoing' && this.hasVideo && !this.#peer?.places.video) void this.addVideo(this.localStream).catch(() => {});
      }
    }
    this.#arm();
    this.#changed();
  }

  /** @param {Frame} frame */
  #tell(frame) {
    this.#port.deliver({ call: this.id, ...frame }).catch(() => {});
  }

  /** @param {unknown} error */
  #fail(error) {
    if (this.ending) return;
    const { code, description, message } = error instanceof CarillonError ? error : new CarillonError('failed', String(error));
    if (code === 'failed') console.error('carillon: call failed', error);
    // What was agreed on goes on.
    if (this.connectedAt) return this.emit('warning', { code: 'change-failed', text: message });
    const reason = code === 'link-lost' || code === 'timeout' ? 'link-lost' : code === 'failed' ? code : 'refused';
    this.abort({ reason, text: description || message, ...(code !== 'failed' && { code }) });
  }

  /** @param {CallState} state */
  #setState(state) {
    if (this.ending || state === this.state) return;
    this.state = state;
    this.#arm();
    this.#changed();
  }

  #changed() {
    this.emit('change', this);
  }

  #arm() {
    clearTimeout(this.#guard);
    const { state } = this;
    const failed = this.#peer?.pc.connectionState === 'failed';
    if (state === 'ended' || (state === 'connected' && !failed)) return;
    const reason = { dialing: 'no-answer', ringing: 'no-answer', incoming: 'missed', connecting: 'no-connection', connected: 'no-connection' }[state];
    this.#guard = setTimeout(() => this.abort({ reason, text: '' }), state === 'connected' ? FAILED_GUARD : STATE_GUARD);
  }
}
