// The peer connection of a call, negotiated as the polite side of perfect negotiation (WebRTC 1.0, section 10.7): the server may offer at any
// time, and its offer goes before ours.

import { CarillonError } from './events.js';

/** @typedef {import('./link.js').Frame} Frame */
/** @typedef {import('./devices.js').Kind} Kind */
/**
 * What a peer connection needs of its call.
 * @typedef {object} Wire
 * @property {(frame: Frame) => void} tell
 * @property {() => MediaStream | undefined} sending microphone and camera
 * @property {(track?: MediaStreamTrack) => void} changed what arrives, or what both sides agreed on
 * @property {(state: RTCPeerConnectionState) => void} connection
 * @property {() => void} followed they restarted ICE and have our answer
 * @property {(error: unknown) => void} failed what was agreed on before stays
 */

const HELD_CANDIDATES = 200;
// Longer than any person takes whose app asks whether to show a picture.
const ANSWER_GUARD = 100_000;
const KINDS = /** @type {const} */ (['audio', 'video']);

export class Peer {
  /** Something was agreed on before. */
  settled = false;
  /** Where microphone and camera are sent. @type {Partial<Record<Kind, RTCRtpTransceiver>>} */
  places = {};
  /** Where our screen is: marked as slides (RFC 4796), in the text for the other side only. @type {RTCRtpTransceiver | undefined} */
  slides;
  /** What arrives: sound and camera, and their screen. @type {{ main: MediaStreamTrack[], screen: MediaStreamTrack[] }} */
  remote = { main: [], screen: [] };

  #wire;
  #configuration;
  /** @type {Map<MediaStreamTrack, RTCRtpTransceiver>} */
  #arrived = new Map();
  /** Their last description, in their words: browsers keep only what they know. */
  #described = '';
  /** The mids of the sections that they ever marked as slides.  No mid is used twice. @type {Set<string>} */
  #theirSlides = new Set();
  /** What each id of a header extension first stood for, in our descriptions or theirs. @type {Map<string, string>} */
  #extensions = new Map();
  /** Work on descriptions happens in the order in which it was asked for. @type {Promise<void>} */
  #queue = Promise.resolve();
  /** There is something that we have not offered yet. */
  #due = false;
  #restarting = false;
  /** Those who wait for what we offer. @type {Array<(error?: CarillonError) => void>} */
  #waiting = [];
  /** Their candidates that came before the description. @type {RTCIceCandidateInit[]} */
  #theirs = [];
  /** Our candidates that were found before our description was sent; undefined once it was. @type {Frame[] | undefined} */
  #ours = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #guard;
  #closed = false;

  /**
   * @param {RTCConfiguration} configuration
   * @param {Wire} wire
   */
  constructor(configuration, wire) {
    this.#wire = wire;
    this.#configuration = configuration;
    const pc = this.pc = new RTCPeerConnection(configuration);
    pc.ontrack = ({ track, transceiver }) => {
      this.#arrived.set(track, transceiver);
      track.onmute = track.onunmute = track.onended = () => wire.changed();
      this.#arrange();
      wire.changed(track);
    };
    pc.onicecandidate = ({ candidate }) => this.#candidateFound(candidate);
    pc.onconnectionstatechange = () => wire.connection(pc.connectionState);
  }

  /**
   * Offers what the connection has become, as soon as nothing else is being negotiated.
   * @returns {Promise<void>} settles when the other side has answered
   */
  negotiate() {
    this.#due = true;
    const done = new Promise((/** @type {(value: void) => void} */ resolve, reject) => this.#waiting.push((error) => (error ? reject(error) : resolve())));
    this.#enqueue(() => this.#offer());
    return done;
  }

  /** Looks for another network path. */
  restart() {
    this.pc.restartIce();
    this.#restarting = true;
    this.negotiate().catch(() => {});
  }

  /**
   * Makes a place for that kind, in a call that we begin.
   * @param {Kind} kind
   */
  add(kind) {
    const track = this.#track(kind);
    const place = this.#transceiver(track ?? kind, track ? 'sendrecv' : 'recvonly');
    if (track) this.places[kind] = place;
  }

  /**
   * Sends our track of that kind, where the other side has a place for it or in a new one.
   * @param {Kind} kind
   */
  async send(kind) {
    await this.#occupy(kind, this.#freePlace(kind) ?? this.#transceiver(kind, 'sendrecv'));
  }

  /** @param {MediaStreamTrack} track of our screen */
  show(track) {
    this.slides = this.pc.addTransceiver(track, { direction: 'sendonly' });
  }

  unshow() {
    this.slides?.stop();
    this.slides = undefined;
  }

  /**
   * Sends nothing of that kind any more; what the other side sends stays.
   * @param {Kind} kind
   */
  async vacate(kind) {
    const place = this.places[kind];
    delete this.places[kind];
    if (!place || place.direction === 'stopped') return;
    place.direction = 'recvonly';
    await place.sender.replaceTrack(null);
  }

  /**
   * @param {'offer' | 'answer'} type
   * @param {unknown} description an RTCSessionDescriptionInit
   */
  take(type, description) {
    const sdp = String(/** @type {RTCSessionDescriptionInit | undefined} */ (description)?.sdp);
    this.#enqueue(() => (type === 'offer' ? this.#takeOffer(sdp) : this.#takeAnswer(sdp)));
  }

  /** @param {Frame} frame `ice_candidate` */
  takeCandidate({ candidate = '', sdpmid, sdpmlineindex, ufrag }) {
    const usernameFragment = String(ufrag || (/ ufrag (\S+)/.exec(candidate)?.[1] ?? ''));
    const init = { candidate: String(candidate), sdpMid: sdpmid || null, sdpMLineIndex: sdpmlineindex >= 0 ? Number(sdpmlineindex) : null, ...(usernameFragment && { usernameFragment }) };
    this.#enqueue(async () => {
      if (this.#expects(usernameFragment)) await this.#addCandidate(init);
      else if (this.#theirs.length < HELD_CANDIDATES) this.#theirs.push(init);
    });
  }

  /** @param {RTCIceServer[]} iceServers new credentials */
  configure(iceServers) {
    this.#configuration = { ...this.#configuration, iceServers };
    try {
      this.pc.setConfiguration(this.#configuration);
    } catch {
      // The present path goes on; the servers are needed only for a new one.
    }
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#guard);
    this.pc.close();
    this.#finish(new CarillonError('ended', 'The call is over.'));
  }

  async #offer() {
    // When their answer comes, or ours is given, this is called again.
    if (!this.#due || this.pc.signalingState !== 'stable') return;
    this.#due = false;
    const { type, sdp: made = '' } = await this.pc.createOffer();
    const sdp = withoutCollisions(made, this.#extensions);
    const kept = this.#restarting ? '' : withCredentials(sdp, this.pc.currentLocalDescription?.sdp ?? '');
    await this.#describe({ type, sdp }, kept);
    if (this.settled) this.#guard = setTimeout(() => this.#enqueue(() => { throw new CarillonError('timeout', 'The other side did not answer in time.'); }), ANSWER_GUARD);
  }

  /** @param {string} sdp */
  async #takeOffer(sdp) {
    // Theirs takes the place of ours (implicit rollback), and ours is made anew.
    if (this.pc.signalingState === 'have-local-offer') this.#due = true;
    const [ufrag = ''] = /^a=ice-ufrag:.*\s/m.exec(this.#described) ?? [];
    await this.#setRemote('offer', sdp);
    for (const kind of KINDS) this.#join(kind);
    await this.#describe(await this.pc.createAnswer());
    if (!sdp.includes(ufrag)) this.#wire.followed();
    await this.#agreed();
  }

  /** @param {string} sdp */
  async #takeAnswer(sdp) {
    if (this.pc.signalingState !== 'have-local-offer') return;
    await this.#setRemote('answer', sdp);
    this.#restarting = false;
    await this.#agreed();
  }

  /**
   * @param {RTCSdpType} type
   * @param {string} sdp
   */
  async #setRemote(type, sdp) {
    clearTimeout(this.#guard);
    // Before: tracks arrive meanwhile.
    for (const section of sdp.split(/^m=/m)) {
      if (/^a=content:\S*\bslides\b/m.test(section)) this.#theirSlides.add(/^a=mid:(\S+)/m.exec(section)?.[1] ?? '');
    }
    await this.pc.setRemoteDescription({ type, sdp: type === 'offer' ? withoutCollisions(sdp, this.#extensions) : sdp });
    this.#described = sdp;
    this.#learn(sdp);
  }

  /** @param {string} sdp in use on one side at least */
  #learn(sdp) {
    for (const [, id = '', uri = ''] of sdp.matchAll(/^a=extmap:(\d+)\S* (\S+)/gm)) if (!this.#extensions.has(id)) this.#extensions.set(id, uri);
  }

  async #agreed() {
    this.settled = true;
    for (const candidate of this.#theirs.splice(0)) await this.#addCandidate(candidate);
    for (const [track, { currentDirection }] of this.#arrived) if (!/recv/.test(currentDirection ?? '')) this.#arrived.delete(track);
    this.#arrange();
    this.#wire.changed();
    if (this.#due) await this.#offer();
    else this.#finish();
  }

  /** @param {CarillonError} [error] */
  #finish(error) {
    for (const settle of this.#waiting.splice(0)) settle(error);
  }

  /** @param {Kind} kind */
  #track(kind) {
    return this.#wire.sending()?.getTracks().find((track) => track.kind === kind);
  }

  /**
   * @param {MediaStreamTrack | Kind} what
   * @param {RTCRtpTransceiverDirection} direction
   */
  #transceiver(what, direction) {
    const stream = this.#wire.sending();
    return this.pc.addTransceiver(what, { direction, streams: stream ? [stream] : [] });
  }

  /**
   * A section of that kind in which we do not send yet.
   * @param {Kind} kind
   */
  #freePlace(kind) {
    return this.pc.getTransceivers().find((each) => each.mid !== null && each.receiver.track.kind === kind && each.direction !== 'stopped'
      && each !== this.slides && !each.sender.track && !this.#theirSlides.has(each.mid));
  }

  /**
   * @param {Kind} kind
   * @param {RTCRtpTransceiver} place
   */
  async #occupy(kind, place) {
    const stream = this.#wire.sending();
    this.places[kind] = place;
    place.direction = 'sendrecv';
    if (stream) place.sender.setStreams?.(stream);
    await place.sender.replaceTrack(this.#track(kind) ?? null);
  }

  /**
   * Our track joins the section of its kind in their offer; a section without a track of ours is answered recvonly.
   * @param {Kind} kind
   */
  #join(kind) {
    const before = this.places[kind];
    const place = this.#track(kind) && !before?.mid && this.#freePlace(kind);
    if (!place) return;
    // The one that we were about to offer when theirs came is not needed any more.
    before?.stop();
    // The answer need not wait for the track.
    void this.#occupy(kind, place);
  }

  /** Tells camera and screen apart: by the mark, or the second one is the screen. */
  #arrange() {
    const tracks = [...this.#arrived.keys()];
    const camera = tracks.find((track) => track.kind === 'video' && !this.#theirSlides.has(this.#arrived.get(track)?.mid ?? ''));
    const isMain = (/** @type {MediaStreamTrack} */ track) => track.kind === 'audio' || track === camera;
    this.remote = { main: tracks.filter(isMain), screen: tracks.filter((track) => !isMain(track)) };
  }

  /**
   * Sets and sends our description, then the candidates found meanwhile: no candidate may overtake it.
   * @param {RTCSessionDescriptionInit} description
   * @param {string} [better] the same, if the browser takes it
   */
  async #describe({ type, sdp }, better) {
    this.#ours = [];
    const set = (/** @type {string | undefined} */ text) => this.pc.setLocalDescription({ type, sdp: text });
    if (better && better !== sdp) await set(better).then(() => { sdp = better; }, () => set(sdp));
    else await set(sdp);
    this.#learn(sdp ?? '');
    const mid = this.slides?.mid;
    this.#wire.tell({ event: type, sdp: { type, sdp: mid ? sdp?.replace(`a=mid:${mid}\r\n`, '$&a=content:slides\r\n') : sdp } });
    for (const frame of this.#ours) this.#wire.tell(frame);
    this.#ours = undefined;
  }

  /** @param {RTCIceCandidate | null} found null when gathering ended */
  #candidateFound(found) {
    // Firefox also says per section that it is done, with an empty candidate: the end of all is enough.
    if (this.#closed || found?.candidate === '') return;
    const place = found ? { sdpmid: found.sdpMid, sdpmlineindex: found.sdpMLineIndex, ...(found.usernameFragment && { ufrag: found.usernameFragment }) } : {};
    const frame = { event: 'ice_candidate', candidate: found?.candidate ?? '', ...place };
    if (this.#ours) this.#ours.push(frame);
    else this.#wire.tell(frame);
  }

  /**
   * Whether we have the description to which candidates of that name belong: those of an ICE restart may come before it.
   * @param {string} ufrag
   */
  #expects(ufrag) {
    return this.pc.remoteDescription !== null && (!ufrag || this.#described.split(/\r?\n/).includes(`a=ice-ufrag:${ufrag}`));
  }

  /**
   * One that the browser does not take (of a rejected section, for Firefox) is no reason to end a call.
   * @param {RTCIceCandidateInit} candidate
   */
  async #addCandidate(candidate) {
    await this.pc.addIceCandidate(candidate).catch(() => {});
  }

  /** @param {() => void | Promise<void>} work */
  #enqueue(work) {
    this.#queue = this.#queue.then(() => (this.#closed ? undefined : work())).catch(async (error) => {
      if (this.#closed) return;
      if (this.settled && this.pc.signalingState === 'have-local-offer') await this.pc.setLocalDescription({ type: 'rollback' }).catch(() => {});
      this.#finish(error instanceof CarillonError ? error : new CarillonError('change-failed', 'The browser could not negotiate the change.', String(error)));
      this.#wire.failed(error);
    });
  }
}

/**
 * The offer without the header extensions whose ids have been others' in this connection.  Chromium (156) takes an id only as what it was before,
 * even if that was in an offer of its own that it has rolled back for this one.  Where a section is used again that a peer with ids of its own had added,
 * it offers two extensions of one id itself.
 * @param {string} offer
 * @param {Map<string, string>} known ids of extensions
 */
function withoutCollisions(offer, known) {
  return offer.replace(/^a=extmap:(\d+)\S* (\S+).*\r\n/gm, (line, id, uri) => ((known.get(id) ?? uri) === uri ? line : ''));
}

/**
 * The offer with the ICE credentials that each section has.  With a peer that does not bundle, Chromium (156) offers those of the first section for
 * all of them, which restarts ICE where the second one has its own; Dino 0.4 cannot follow that.
 * @param {string} offer
 * @param {string} current
 */
function withCredentials(offer, current) {
  const before = current.split(/^(?=m=)/m);
  return offer.split(/^(?=m=)/m).map((section, index) => {
    const known = before[index] ?? '';
    if (!index || /^m=\S+ 0 /.test(known)) return section;
    return [/^a=ice-ufrag:.*$/m, /^a=ice-pwd:.*$/m].reduce((text, line) => text.replace(line, (own) => line.exec(known)?.[0] ?? own), section);
  }).join('');
}
