// One other person in a room, and the connection to them.

import { Emitter } from './events.js';
import { Gauge } from './stats.js';

/** @typedef {import('./link.js').Frame} Frame */
/** `interrupted`: media broke and may come back.  `failed`: there is no connection, and none is tried any more. @typedef {'connecting' | 'connected' | 'interrupted' | 'failed'} MemberState */
/**
 * What a member needs of its room.
 * @typedef {object} Seat
 * @property {RTCConfiguration} configuration
 * @property {MediaStream} stream what we send
 * @property {(data: Frame) => void} send to this member
 */

const KINDS = /** @type {const} */ (['audio', 'video']);
const CONNECT_GUARD = 30_000;
const HELD_CANDIDATES = 200;

/**
 * A member.  Made by Room.
 *
 * Events: `change` whenever anything changed.
 * @extends {Emitter<{ change: Member }>}
 */
export class Member extends Emitter {
  /** @type {MemberState} */
  state = 'connecting';
  /** What they send: the same object for as long as they are there. */
  stream = new MediaStream();
  /** What they say of themselves. @type {Record<string, unknown>} */
  status;

  #seat;
  #gauge = new Gauge();
  #pc;
  #offers;
  /** Work on descriptions happens in the order in which it was asked for. @type {Promise<void>} */
  #queue = Promise.resolve();
  /** Their candidates that came before their description. @type {RTCIceCandidateInit[]} */
  #theirs = [];
  /** Our candidates that were found before our description was sent; undefined once it was. @type {Frame[] | undefined} */
  #ours = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #guard;
  #closed = false;

  /**
   * @param {Seat} seat
   * @param {string} id
   * @param {unknown} status
   * @param {boolean} offers whether the offer is ours to make
   */
  constructor(seat, id, status, offers) {
    super();
    this.#seat = seat;
    this.id = id;
    this.status = objectOf(status);
    this.#offers = offers;
    const pc = this.#pc = new RTCPeerConnection(seat.configuration);
    pc.ontrack = ({ track }) => {
      if (!this.stream.getTracks().includes(track)) this.stream.addTrack(track);
      track.onmute = track.onunmute = track.onended = () => this.#changed();
      this.#changed();
    };
    pc.onicecandidate = ({ candidate }) => this.#candidateFound(candidate);
    pc.onconnectionstatechange = () => this.#mediaChanged(pc.connectionState);
    this.#arm();
    if (offers) this.#offer();
  }

  /** The name they give themselves; empty if none. */
  get name() {
    return typeof this.status.name === 'string' ? this.status.name : '';
  }

  /** Whether they said that they cannot be heard.  Clients other than ours say nothing about it. */
  get muted() {
    return this.status.muted === true;
  }

  /** Whether their picture can be seen now. */
  get hasVideo() {
    return this.status.camera !== false && this.stream.getVideoTracks().some((track) => track.readyState === 'live' && !track.muted);
  }

  /** How the connection has been since this was asked last. @returns {Promise<import('./stats.js').Statistics>} */
  async statistics() {
    return this.#gauge.read(await this.getStats());
  }

  /** What the browser measures, as it tells it. @returns {Promise<RTCStatsReport>} */
  getStats() {
    return this.#pc.getStats();
  }

  /**
   * Takes a frame of theirs.
   * @param {Frame} frame
   */
  receive(frame) {
    switch (frame.event) {
      case 'offer': this.#enqueue(() => this.#takeOffer(frame.sdp)); break;
      case 'answer': this.#enqueue(() => this.#takeAnswer(frame.sdp)); break;
      case 'ice_candidate': this.#takeCandidate(frame); break;
      case 'peer_updated_status':
        this.status = { ...this.status, ...objectOf(frame.status) };
        this.#changed();
    }
  }

  /** Sends what the room's stream has now.  Nothing is negotiated anew: both directions are open from the start. */
  retrack() {
    this.#enqueue(() => this.#attachTracks());
  }

  /** The room has new credentials for its relay. */
  configure() {
    try {
      this.#pc.setConfiguration(this.#seat.configuration);
    } catch {
      // The present path goes on; the servers are needed only for a new one.
    }
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#guard);
    this.#pc.close();
    for (const track of this.stream.getTracks()) track.onmute = track.onunmute = track.onended = null;
  }

  #offer() {
    this.#enqueue(async () => {
      const pc = this.#pc;
      // Also of what we do not send: palava's client never offers anew, so this is the only chance to receive it.
      if (!pc.getTransceivers().length) for (const kind of KINDS) pc.addTransceiver(this.#track(kind) ?? kind, { direction: 'sendrecv', streams: [this.#seat.stream] });
      const offer = await pc.createOffer();
      await this.#describe(offer);
    });
  }

  /** @param {RTCSessionDescriptionInit} offer */
  async #takeOffer(offer) {
    // An offer that meets one of ours takes its place.
    await this.#pc.setRemoteDescription({ type: 'offer', sdp: String(offer?.sdp) });
    await this.#attachTracks();
    await this.#describe(await this.#pc.createAnswer());
    await this.#releaseTheirs();
  }

  /** @param {RTCSessionDescriptionInit} answer */
  async #takeAnswer(answer) {
    if (this.#pc.signalingState !== 'have-local-offer') return;
    await this.#pc.setRemoteDescription({ type: 'answer', sdp: String(answer?.sdp) });
    await this.#releaseTheirs();
  }

  /** @param {'audio' | 'video'} kind */
  #track(kind) {
    return this.#seat.stream.getTracks().find((track) => track.kind === kind && track.readyState === 'live');
  }

  async #attachTracks() {
    for (const kind of KINDS) {
      const place = this.#pc.getTransceivers().find(({ mid, receiver, direction }) => mid !== null && receiver.track.kind === kind && direction !== 'stopped');
      if (!place) continue;
      // Before the answer: a track that is found later needs no other one.
      if (place.direction !== 'sendrecv') place.direction = 'sendrecv';
      place.sender.setStreams?.(this.#seat.stream);
      await place.sender.replaceTrack(this.#track(kind) ?? null);
    }
  }

  /**
   * Sets and sends our description, then the candidates found meanwhile: no candidate may overtake it.
   * @param {RTCSessionDescriptionInit} description
   */
  async #describe({ type, sdp }) {
    this.#ours = [];
    await this.#pc.setLocalDescription({ type, sdp });
    if (this.#closed) return;
    this.#seat.send({ event: type, sdp: { type, sdp } });
    for (const frame of this.#ours) this.#seat.send(frame);
    this.#ours = undefined;
  }

  /** @param {RTCIceCandidate | null} found */
  #candidateFound(found) {
    // palava has no word for the end of them.
    if (this.#closed || !found?.candidate) return;
    const frame = { event: 'ice_candidate', candidate: found.candidate, sdpmid: found.sdpMid, sdpmlineindex: found.sdpMLineIndex };
    if (this.#ours) this.#ours.push(frame);
    else this.#seat.send(frame);
  }

  /** @param {Frame} frame */
  #takeCandidate({ candidate, sdpmid, sdpmlineindex }) {
    if (typeof candidate !== 'string' || !candidate) return;
    const init = { candidate, sdpMid: typeof sdpmid === 'string' ? sdpmid : null, sdpMLineIndex: sdpmlineindex >= 0 ? Number(sdpmlineindex) : null };
    if (this.#pc.remoteDescription) this.#enqueue(() => this.#addCandidate(init));
    else if (this.#theirs.length < HELD_CANDIDATES) this.#theirs.push(init);
  }

  async #releaseTheirs() {
    for (const candidate of this.#theirs.splice(0)) await this.#addCandidate(candidate);
  }

  /**
   * One that the browser does not take is no reason to do without the others.
   * @param {RTCIceCandidateInit} candidate
   */
  async #addCandidate(candidate) {
    await this.#pc.addIceCandidate(candidate).catch(() => {});
  }

  /** @param {RTCPeerConnectionState} state */
  #mediaChanged(state) {
    if (this.#closed) return;
    if (state === 'connected') this.#setState('connected');
    if (state === 'disconnected' || state === 'failed') this.#setState('interrupted');
    // The one who offered first does so again, so that not both do.
    if (state !== 'failed' || !this.#offers) return;
    this.#pc.restartIce();
    this.#offer();
  }

  /** @param {MemberState} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.#arm();
    this.#changed();
  }

  #arm() {
    clearTimeout(this.#guard);
    if (this.state === 'connecting' || this.state === 'interrupted') this.#guard = setTimeout(() => this.#setState('failed'), CONNECT_GUARD);
  }

  #changed() {
    if (!this.#closed) this.emit('change', this);
  }

  /** @param {() => Promise<void>} work */
  #enqueue(work) {
    this.#queue = this.#queue.then(() => (this.#closed ? undefined : work())).catch((error) => {
      if (this.#closed) return;
      console.error('carillon: no connection to a member', error);
      this.#setState('failed');
    });
  }
}

/**
 * @param {unknown} value
 * @returns {Record<string, unknown>}
 */
function objectOf(value) {
  return typeof value === 'object' && value !== null ? { .../** @type {Record<string, unknown>} */ (value) } : {};
}
