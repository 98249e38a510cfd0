// What this side of a call sends: microphone, camera and screen.

import { CarillonError } from './events.js';

/** @typedef {import('./devices.js').Kind} Kind */
/** @typedef {import('./peer.js').Peer} Peer */
/**
 * What it needs of its call.
 * @typedef {object} Owner
 * @property {() => Peer | undefined} peer
 * @property {() => void} changed
 * @property {(code: string, text: string) => void} warn
 * @property {() => void} screenEnded by the browser's own button
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
  drop(kind) {
    const track = this.track(kind);
    if (track) this.stream?.removeTrack(track);
    track?.stop();
  }

  /** @param {Kind} kind */
  on(kind) {
    return kind === 'audio' ? !this.muted : !this.cameraOff;
  }

  /**
   * Keeps tracks of that kind silent or black, or not.
   * @param {Kind} kind
   */
  enable(kind) {
    const track = this.track(kind);
    if (track) track.enabled = this.on(kind);
  }

  /**
   * @param {MediaStream} screen
   * @param {MediaStreamTrack} track of it
   */
  show(screen, track) {
    this.screen = screen;
    track.contentHint ||= 'detail';
    track.addEventListener('ended', () => { if (screen === this.screen) this.#owner.screenEnded(); });
  }

  unshow() {
    const { screen } = this;
    this.screen = undefined;
    stop(screen);
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
    stop(this.stream);
    this.unshow();
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

/** @param {MediaStream | undefined} stream */
export function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
