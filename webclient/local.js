// What this side of a call sends, and tells the other side of it: microphone, camera and screen.

import { closeMedia } from './devices.js';
import { CarillonError } from './events.js';

/** @typedef {import('./devices.js').Kind} Kind */
/** @typedef {import('./peer.js').Peer} Peer */
/**
 * What it needs of its call.
 * @typedef {object} Owner
 * @property {() => Peer | undefined} peer
 * @property {() => void} changed
 * @property {(code: string, text: string) => void} warn
 * @property {(info: string, mid?: string) => void} inform the other side, in a session-info (XEP-0167, section 8); all media without a mid
 */

export class Local {
  /** Microphone and camera. @type {MediaStream | undefined} */
  stream;
  /** @type {MediaStream | undefined} */
  screen;
  muted = false;
  cameraOff = false;
  held = false;

  #devices;
  #owner;
  #closed = false;
  #subscriptions;

  /**
   * @param {import('./devices.js').Devices} devices
   * @param {Owner} owner
   */
  constructor(devices, owner) {
    this.#devices = devices;
    this.#owner = owner;
    this.#subscriptions = [
      devices.on('chosen', (kind) => { if (kind !== 'output' && this.track(kind)) void this.#replace(kind); }),
      devices.on('change', () => { for (const kind of this.lost) void this.#replace(kind); }),
    ];
  }

  /** What is not sent any more: its device was unplugged, or the permission taken back. @returns {Kind[]} */
  get lost() {
    return /** @type {Kind[]} */ (['audio', 'video']).filter((kind) => this.track(kind)?.readyState === 'ended');
  }

  /** @param {Kind} kind */
  track(kind) {
    return this.stream?.getTracks().find((track) => track.kind === kind);
  }

  /** @param {MediaStream} stream */
  take(stream) {
    this.stream = stream;
    for (const track of stream.getTracks()) this.keep(track);
  }

  /**
   * Makes that track the one of its kind.
   * @param {MediaStreamTrack} track
   */
  keep(track) {
    const kind = /** @type {Kind} */ (track.kind);
    const stream = this.stream ??= new MediaStream();
    const old = this.track(kind);
    if (old && old !== track) {
      stream.removeTrack(old);
      old.stop();
    }
    if (old !== track) stream.addTrack(track);
    track.enabled = this.on(kind);
    // Browsers say so only of a track that nobody stopped.
    track.addEventListener('ended', () => {
      if (this.#closed || !stream.getTracks().includes(track)) return;
      this.#owner.changed();
      void this.#replace(kind);
    });
  }

  /** @param {Kind} kind */
  on(kind) {
    return kind === 'audio' ? !this.muted : !this.cameraOff;
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    this.#enable('audio');
  }

  /** @param {boolean} off */
  turnCameraOff(off) {
    this.cameraOff = off;
    this.#enable('video');
  }

  /** @param {boolean} held */
  hold(held) {
    if (this.held === held) return;
    this.held = held;
    if (this.#owner.peer()?.settled) this.#owner.inform(held ? 'hold' : 'unhold');
    this.resend();
    this.#owner.changed();
  }

  /** Says again what is kept silent or black: said before there was a connection, nobody heard it. */
  sayAgain() {
    if (this.muted) this.#enable('audio');
    if (this.cameraOff) this.#enable('video');
  }

  /**
   * Adds the camera, by default the chosen one.  Rejects with a code of devices or `video-not-taken`; then all is as it was.
   * @param {MediaStream} [stream]
   */
  async addVideo(stream) {
    const peer = this.#established();
    const [track] = (stream ?? await this.#devices.open({ audio: false, video: true })).getVideoTracks();
    if (!track || this.#closed) return track?.stop();
    this.cameraOff = false;
    this.keep(track);
    if (!peer.places.video) await peer.send('video');
    this.resend();
    await this.#negotiate();
    if (this.#closed || sends(peer.places.video)) return;
    await this.#dropVideo(peer);
    throw notTaken();
  }

  /** Lets go of the camera. */
  async removeVideo() {
    await this.#dropVideo(this.#established());
    await this.#negotiate();
  }

  /**
   * Shares a screen beside the camera, or in its place; by default the browser asks which.
   * @param {MediaStream} [stream]
   */
  async shareScreen(stream) {
    const peer = this.#established();
    const screen = stream ?? await this.#devices.openScreen();
    const [track] = screen.getVideoTracks();
    if (!track || this.#closed || this.screen) return closeMedia(screen);
    this.screen = screen;
    track.contentHint ||= 'detail';
    // By the browser's own button.
    track.addEventListener('ended', () => { if (screen === this.screen) this.stopScreen().catch(() => {}); });
    peer.show(track);
    this.resend();
    await this.#negotiate();
    if (this.#closed || screen !== this.screen || sends(peer.slides)) return;
    peer.unshow();
    if (sends(peer.places.video)) return this.resend();
    this.#dropScreen();
    throw notTaken();
  }

  async stopScreen() {
    const peer = this.#owner.peer();
    if (!this.screen || !peer) return;
    const beside = peer.slides !== undefined;
    peer.unshow();
    this.#dropScreen();
    this.resend();
    if (beside) await this.#negotiate();
  }

  /** Lets go of a camera for which the other side has closed the place: its app takes no picture, or no longer. */
  review() {
    const peer = this.#owner.peer();
    if (!peer || !this.track('video') || peer.places.video?.direction !== 'stopped') return;
    void this.#dropVideo(peer);
    if (!peer.slides) this.#dropScreen();
    this.#owner.warn('video-not-taken', '');
  }

  /** Where tones can be sent. */
  get tones() {
    const dtmf = this.#owner.peer()?.places.audio?.sender.dtmf;
    return dtmf?.canInsertDTMF ? dtmf : undefined;
  }

  /** @param {string} tones */
  sendTones(tones) {
    if (!/^[0-9A-D#*,]+$/i.test(tones)) throw new CarillonError('bad_value', 'A telephone has no such tones.', tones);
    const { tones: sender } = this;
    if (!sender) throw new CarillonError('no-tones', 'The other side takes no tones.');
    sender.insertDTMF(sender.toneBuffer + tones);
  }

  /** Sends and plays what is to be sent and played now, without negotiation. */
  resend() {
    const { places, slides, remote } = this.#owner.peer() ?? {};
    const screen = this.screen?.getVideoTracks()[0];
    const put = (/** @type {RTCRtpTransceiver | undefined} */ place, /** @type {MediaStreamTrack | undefined} */ track) => {
      place?.sender.replaceTrack(this.held ? null : track ?? null).catch(() => {});
    };
    put(places?.audio, this.track('audio'));
    put(places?.video, slides ? this.track('video') : screen ?? this.track('video'));
    put(slides, screen);
    for (const track of [...remote?.main ?? [], ...remote?.screen ?? []]) track.enabled = !this.held;
  }

  close() {
    this.#closed = true;
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    closeMedia(this.stream);
    this.#dropScreen();
  }

  /** The peer connection, once it can be changed. */
  #established() {
    const peer = this.#owner.peer();
    if (!peer?.settled) throw new CarillonError('bad-state', 'There is no connection to change.');
    return peer;
  }

  async #negotiate() {
    this.#owner.changed();
    await this.#owner.peer()?.negotiate();
    this.#owner.changed();
  }

  /** @param {Peer} peer */
  async #dropVideo(peer) {
    const track = this.track('video');
    if (track) this.stream?.removeTrack(track);
    track?.stop();
    await peer.vacate('video');
  }

  #dropScreen() {
    const { screen } = this;
    this.screen = undefined;
    closeMedia(screen);
  }

  /**
   * Keeps tracks of that kind silent or black, or not.
   * @param {Kind} kind
   */
  #enable(kind) {
    const track = this.track(kind);
    if (track) track.enabled = this.on(kind);
    const peer = this.#owner.peer();
    const mid = peer?.places[kind]?.mid;
    if (peer?.settled && mid) this.#owner.inform(this.on(kind) ? 'unmute' : 'mute', mid);
    this.#owner.changed();
  }

  /**
   * Opens the device of that kind anew: the chosen one, or another one if that is gone.
   * @param {Kind} kind
   */
  async #replace(kind) {
    const gone = this.track(kind);
    const lost = gone?.readyState === 'ended';
    try {
      const [track] = (await this.#devices.open({ audio: kind === 'audio', video: kind === 'video' })).getTracks();
      if (!track) return;
      if (this.#closed || this.track(kind) !== gone) return track.stop();
      this.keep(track);
      this.resend();
      if (lost) this.#owner.warn(kind === 'audio' ? 'microphone-changed' : 'camera-changed', track.label);
    } catch (error) {
      if (!this.#closed) this.#owner.warn(error instanceof CarillonError ? error.code : 'media-failed', '');
    }
    if (!this.#closed) this.#owner.changed();
  }
}

/** @param {RTCRtpTransceiver | undefined} place */
function sends(place) {
  return /send/.test(place?.currentDirection ?? '');
}

function notTaken() {
  return new CarillonError('video-not-taken', 'The other side does not take the picture.');
}
