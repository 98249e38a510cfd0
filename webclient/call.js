// One call: the peer connection and what the server says about it, as one state that always comes to an end.

import { CarillonError, Emitter } from './events.js';

/** @typedef {import('./link.js').Frame} Frame */

/**
 * `dialing`: asked for, nothing heard yet.  `ringing`: the contact's device rings.  `incoming`: we are being rung.  `connecting`: answered, media is being set up.
 * @typedef {'dialing' | 'ringing' | 'incoming' | 'connecting' | 'connected' | 'ended'} CallState
 */
/** Why it ended: an outcome of the server's, or `refused`, `link-lost`, `failed` of our own.  `code` is that of the refusal. @typedef {{ reason: string, text: string, code?: string }} Ending */
/**
 * What a call needs of its connection.  `request` fails when the link is down; `deliver` keeps the frame until the server acknowledged it.
 * @typedef {object} Port
 * @property {(frame: Frame) => Promise<Frame>} request
 * @property {(frame: Frame) => Promise<Frame>} deliver
 * @property {(call: Call) => void} ended
 */

// The server times every state; these only end a call that the server can no longer tell us about.
const GUARDS = {
  dialing: [100_000, 'no-answer'], ringing: [100_000, 'no-answer'], incoming: [100_000, 'missed'], connecting: [100_000, 'no-connection'],
};
const FAILED_GUARD = 20_000;
const HELD_CANDIDATES = 200;
const REPORTED = ['connected', 'disconnected', 'failed'];

/**
 * A call.  Made by Carillon.dial, or by Carillon's `incoming` event.
 *
 * Events: `change` whenever any property changed; `warning` for what a person should know though the call goes on; `ended` once.
 * @extends {Emitter<{ change: Call, warning: { code: string, text: string }, ended: Ending }>}
 */
export class Call extends Emitter {
  /** The server's id of the call; empty until it was admitted. */
  id = '';
  /** The name that a caller gives itself, unverified; empty if none. */
  name = '';
  /** @type {CallState} */
  state;
  /** @type {MediaStream | undefined} what we send; whoever opened it closes it */
  localStream;
  /** @type {MediaStream | undefined} */
  remoteStream;
  muted = false;
  cameraOff = false;
  /** Media broke and may come back. */
  interrupted = false;
  /** When media was first connected, as Date.now counts; 0 before. */
  connectedAt = 0;
  /** @type {Ending | undefined} */
  ending;
  /** Resolves when the call has ended; never rejects. @type {Promise<Ending>} */
  finished;

  #port;
  /** @type {RTCPeerConnection | undefined} */
  #pc;
  /** @type {RTCConfiguration} */
  #configuration = {};
  /** Work on descriptions happens in the order in which it was asked for. @type {Promise<void>} */
  #queue = Promise.resolve();
  /** Candidates of the peer that came before its description. @type {RTCIceCandidateInit[]} */
  #theirs = [];
  /** Our candidates that were found before our description was sent; undefined once it was. @type {Frame[] | undefined} */
  #ours = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #guard;
  /** @type {(ending: Ending) => void} */
  #finish = () => {};
  /** The other side took our call. */
  #answered = false;

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
    this.address = address;
    this.media = media;
    this.state = direction === 'incoming' ? 'incoming' : 'dialing';
    this.finished = new Promise((resolve) => { this.#finish = resolve; });
    this.#arm();
  }

  /**
   * Asks the server for the call and offers what the stream has.  Carillon.dial calls this.
   * @param {MediaStream} stream
   */
  start(stream) {
    this.#send(stream);
    void this.#enqueue(async () => {
      const frame = await this.#port.request({ event: 'dial', to: this.address });
      this.id = String(frame.call);
      if (this.ending) return this.#tell({ event: 'hang_up' });
      if (typeof frame.to === 'string') this.address = frame.to;
      const pc = this.#open(frame);
      for (const kind of this.media) this.#addMedia(pc, kind);
      const offer = await pc.createOffer();
      await pc.setLocalDescription(offer);
      this.#describe('offer', offer.sdp);
    });
  }

  /**
   * Answers an incoming call with what the stream has.  Resolves when the server gave us the call; rejects when it did
   * not (taken by another page, over already), and then the call has ended.
   * @param {MediaStream} stream
   * @returns {Promise<void>}
   */
  accept(stream) {
    if (this.state !== 'incoming') return Promise.reject(new CarillonError('bad-state', 'There is no call to answer.', this.state));
    this.#send(stream);
    this.#setState('connecting');
    return this.#enqueue(async () => {
      const frame = await this.#port.deliver({ event: 'accept', call: this.id });
      if (!this.ending) this.#open(frame);
    });
  }

  decline() {
    if (this.state !== 'incoming') return;
    this.#tell({ event: 'decline' });
    this.#end({ reason: 'declined', text: 'You declined the call.' });
  }

  /** What the browser measures of this call; undefined before it has a connection. @returns {Promise<RTCStatsReport> | undefined} */
  getStats() {
    return this.#pc?.getStats();
  }

  hangUp() {
    if (this.ending) return;
    if (this.state === 'incoming') return this.decline();
    if (this.id) this.#tell({ event: 'hang_up' });
    this.#end(this.#answered || this.direction === 'incoming' ? { reason: 'hung-up', text: 'You ended the call.' } : { reason: 'cancelled', text: 'You cancelled the call.' });
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    for (const track of this.localStream?.getAudioTracks() ?? []) track.enabled = !muted;
    this.emit('change', this);
  }

  /** @param {boolean} off */
  turnCameraOff(off) {
    this.cameraOff = off;
    for (const track of this.localStream?.getVideoTracks() ?? []) track.enabled = !off;
    this.emit('change', this);
  }

  /** What we no longer send though the call goes on: a device was unplugged, or its permission taken back. @returns {Array<'audio' | 'video'>} */
  get lostMedia() {
    const ended = (/** @type {MediaStreamTrack[]} */ tracks = []) => tracks.some((track) => track.readyState === 'ended');
    /** @type {Array<'audio' | 'video'>} */
    const lost = [];
    if (ended(this.localStream?.getAudioTracks())) lost.push('audio');
    if (ended(this.localStream?.getVideoTracks())) lost.push('video');
    return lost;
  }

  /** Whether the other side's picture can be seen now. */
  get hasRemoteVideo() {
    return this.remoteStream?.getVideoTracks().some((track) => track.readyState === 'live' && !track.muted) ?? false;
  }

  /**
   * Takes a frame of the server about this call.  Frames of events that this version does not know change nothing.
   * @param {Frame} frame
   */
  receive(frame) {
    switch (frame.event) {
      case 'ringing': if (this.state === 'dialing') this.#setState('ringing'); break;
      case 'proceeding': if (this.direction === 'outgoing') this.#setState('connecting'); break;
      case 'offer': void this.#enqueue(() => this.#takeOffer(frame.sdp)); break;
      case 'answer': this.#answered = true; void this.#enqueue(() => this.#takeAnswer(frame.sdp)); break;
      case 'ice_candidate': this.#takeCandidate(frame); break;
      case 'ice_servers': this.#configure(frame.ice_servers); break;
      case 'warning': this.emit('warning', { code: String(frame.code), text: String(frame.text) }); break;
      case 'ended': this.#end({ reason: String(frame.reason), text: String(frame.text ?? '') }); break;
    }
  }

  /** Says again how media is, after a time without a connection; the server answers whether it still knows the call. */
  report() {
    if (this.id) this.#tell({ event: 'media', state: this.#pc?.connectionState ?? 'new' });
  }

  /**
   * Ends the call because it cannot go on; the server is told if it knows the call.
   * @param {Ending} ending
   */
  abort(ending) {
    if (this.ending) return;
    if (this.id) this.#tell({ event: this.state === 'incoming' ? 'decline' : 'hang_up' });
    this.#end(ending);
  }

  /**
   * Ends the call because the server has ended it.
   * @param {Ending} ending
   */
  lose(ending) {
    this.#end(ending);
  }

  /** @param {MediaStream} stream */
  #send(stream) {
    this.localStream = stream;
    // Browsers say so only of a track that nobody stopped.
    for (const track of stream.getTracks()) track.addEventListener('ended', () => { if (!this.ending) this.emit('change', this); });
  }

  /**
   * @param {Frame} frame `admitted`
   * @returns {RTCPeerConnection}
   */
  #open(frame) {
    // Dino does not bundle, and with max-bundle browsers refuse a peer that does not.
    this.#configuration = {
      bundlePolicy: 'balanced', iceTransportPolicy: frame.relay_only ? 'relay' : 'all', iceServers: frame.ice_servers ?? [],
    };
    const pc = new RTCPeerConnection(this.#configuration);
    this.#pc = pc;
    const remote = this.remoteStream = new MediaStream();
    pc.ontrack = ({ track }) => {
      // Built from the tracks, because XMPP clients such as Dino 0.4 name no stream.
      if (!remote.getTracks().includes(track)) remote.addTrack(track);
      track.onmute = track.onunmute = track.onended = () => this.emit('change', this);
      this.emit('change', this);
    };
    pc.onicecandidate = ({ candidate }) => this.#candidateFound(candidate);
    pc.onconnectionstatechange = () => this.#mediaChanged(pc.connectionState);
    return pc;
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {string} kind
   */
  #addMedia(pc, kind) {
    const stream = this.localStream;
    const track = stream?.getTracks().find((each) => each.kind === kind);
    if (track && stream) pc.addTrack(track, stream);
    else pc.addTransceiver(kind, { direction: 'recvonly' });
  }

  /** @param {RTCSessionDescriptionInit} offer */
  async #takeOffer(offer) {
    const pc = this.#pc;
    if (!pc) return;
    await pc.setRemoteDescription({ type: 'offer', sdp: String(offer?.sdp) });
    // A track joins the section of its kind; a section without a track of ours stays, and is answered recvonly.
    const stream = this.localStream;
    const sending = pc.getSenders().map((sender) => sender.track);
    const offered = pc.getTransceivers().map((each) => each.receiver.track.kind);
    for (const track of stream?.getTracks() ?? []) {
      if (stream && offered.includes(track.kind) && !sending.includes(track)) pc.addTrack(track, stream);
    }
    const answer = await pc.createAnswer();
    await pc.setLocalDescription(answer);
    this.#describe('answer', answer.sdp);
    await this.#releaseTheirs(pc);
  }

  /** @param {RTCSessionDescriptionInit} answer */
  async #takeAnswer(answer) {
    const pc = this.#pc;
    if (!pc || pc.signalingState !== 'have-local-offer') return;
    await pc.setRemoteDescription({ type: 'answer', sdp: String(answer?.sdp) });
    if (this.state !== 'connected') this.#setState('connecting');
    await this.#releaseTheirs(pc);
  }

  /**
   * Sends our description, then the candidates found meanwhile: no candidate may overtake it.
   * @param {'offer' | 'answer'} type
   * @param {string | undefined} sdp
   */
  #describe(type, sdp) {
    if (this.ending) return;
    this.#tell({ event: type, sdp: { type, sdp } });
    for (const frame of this.#ours ?? []) this.#tell(frame);
    this.#ours = undefined;
  }

  /** @param {RTCIceCandidate | null} found null when gathering ended */
  #candidateFound(found) {
    // Firefox also says per section that it is done, with an empty candidate: the end of all is enough.
    if (this.ending || found?.candidate === '') return;
    const place = found ? { sdpmid: found.sdpMid, sdpmlineindex: found.sdpMLineIndex } : {};
    const frame = { event: 'ice_candidate', candidate: found?.candidate ?? '', ...place };
    if (this.#ours) this.#ours.push(frame);
    else this.#tell(frame);
  }

  /** @param {Frame} frame */
  #takeCandidate(frame) {
    const candidate = {
      candidate: String(frame.candidate ?? ''),
      sdpMid: frame.sdpmid || null,
      sdpMLineIndex: frame.sdpmlineindex >= 0 ? Number(frame.sdpmlineindex) : null,
    };
    if (this.#pc?.remoteDescription) void this.#enqueue(() => this.#addCandidate(candidate));
    else if (this.#theirs.length < HELD_CANDIDATES) this.#theirs.push(candidate);
  }

  /** @param {RTCPeerConnection} pc */
  async #releaseTheirs(pc) {
    const held = this.#theirs;
    this.#theirs = [];
    for (const candidate of held) if (pc === this.#pc) await this.#addCandidate(candidate);
  }

  /**
   * One candidate that the browser does not take (of a rejected section, for Firefox) is no reason to end a call.
   * @param {RTCIceCandidateInit} candidate
   */
  async #addCandidate(candidate) {
    await this.#pc?.addIceCandidate(candidate).catch(() => {});
  }

  /** @param {unknown} servers */
  #configure(servers) {
    if (!this.#pc || !Array.isArray(servers)) return;
    this.#configuration.iceServers = servers;
    try {
      this.#pc.setConfiguration(this.#configuration);
    } catch {
      // The present path goes on; the servers are needed only for a new one.
    }
  }

  /** @param {RTCPeerConnectionState} state */
  #mediaChanged(state) {
    if (this.ending) return;
    this.interrupted = state === 'disconnected' || state === 'failed';
    if (REPORTED.includes(state)) this.report();
    if (state === 'connected') {
      this.connectedAt ||= Date.now();
      if (this.state !== 'connected') return this.#setState('connected');
    }
    this.#arm();
    this.emit('change', this);
  }

  /** @param {Frame} frame */
  #tell(frame) {
    this.#port.deliver({ call: this.id, ...frame }).catch(() => {});
  }

  /**
   * @param {() => Promise<void>} work
   * @returns {Promise<void>} rejects when the work failed, which ends the call as well
   */
  #enqueue(work) {
    const done = this.#queue.then(() => {
      if (this.ending) throw new CarillonError('ended', 'The call is over.');
      return work();
    });
    this.#queue = done.catch((error) => this.#fail(error));
    return done;
  }

  /** @param {unknown} error */
  #fail(error) {
    if (this.ending) return;
    if (error instanceof CarillonError) {
      const reason = error.code === 'link-lost' || error.code === 'timeout' ? 'link-lost' : 'refused';
      return this.abort({ reason, text: error.description || error.message, code: error.code });
    }
    console.error('carillon: call failed', error);
    this.abort({ reason: 'failed', text: String(error) });
  }

  /** @param {CallState} state */
  #setState(state) {
    if (this.ending || state === this.state) return;
    this.state = state;
    this.#arm();
    this.emit('change', this);
  }

  #arm() {
    clearTimeout(this.#guard);
    const [delay, reason] = this.state === 'connected'
      ? [this.#pc?.connectionState === 'failed' ? FAILED_GUARD : 0, 'no-connection']
      : GUARDS[/** @type {keyof typeof GUARDS} */ (this.state)] ?? [0, ''];
    if (delay) this.#guard = setTimeout(() => this.abort({ reason: String(reason), text: '' }), Number(delay));
  }

  /** @param {Ending} ending */
  #end(ending) {
    if (this.ending) return;
    this.ending = ending;
    this.state = 'ended';
    clearTimeout(this.#guard);
    this.#pc?.close();
    this.#pc = undefined;
    this.#port.ended(this);
    this.emit('change', this);
    this.emit('ended', ending);
    this.#finish(ending);
  }
}
