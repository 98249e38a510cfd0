// Microphones, cameras, loudspeakers and the screen.

import { CarillonError, Emitter } from './events.js';
import { keep, recall } from './kept.js';

/** @typedef {'audio' | 'video'} Kind */
/** The ids of the devices that were chosen; empty is whatever the browser prefers. @typedef {{ audio: string, video: string, output: string }} Chosen */
/**
 * What to open.  With `video`, a call without a picture is better than none: what cannot be opened is left out, unless `audio` is false.
 * @typedef {{ audio?: boolean, video?: boolean, small?: boolean }} Wish
 */

/** @type {Record<string, string>} */
const FAULTS = {
  NotAllowedError: 'denied', SecurityError: 'denied', NotFoundError: 'missing', OverconstrainedError: 'missing', NotReadableError: 'in-use', AbortError: 'in-use',
};
/** The codes of a device that cannot be used. */
export const DEVICE_CODES = ['denied', 'no-microphone', 'no-camera', 'in-use', 'media-failed', 'insecure-context'];

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: 'user' };
// In a room every browser sends its picture to each of the others by itself.
const SMALL_PICTURE = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { max: 24 }, facingMode: 'user' };
const KEPT = 'carillon devices';

/**
 * The devices of this browser, which remembers those chosen.  Before a permission was given browsers tell neither names nor ids.
 *
 * Events: `change` when the list changed, `chosen` with the kind when another device was chosen.
 * @extends {Emitter<{ change: Devices, chosen: Kind | 'output' }>}
 */
export class Devices extends Emitter {
  /** @type {MediaDeviceInfo[]} */
  list = [];
  /** @type {Chosen} */
  chosen = { audio: '', video: '', output: '', ...kept() };

  #media = globalThis.navigator?.mediaDevices;

  constructor() {
    super();
    this.#media?.addEventListener?.('devicechange', () => void this.refresh());
  }

  get microphones() { return this.list.filter(({ kind }) => kind === 'audioinput'); }
  get cameras() { return this.list.filter(({ kind }) => kind === 'videoinput'); }
  get speakers() { return this.list.filter(({ kind }) => kind === 'audiooutput'); }

  /** Asks the browser anew. */
  async refresh() {
    this.list = await this.#media?.enumerateDevices?.().catch(() => []) ?? [];
    this.emit('change', this);
  }

  /**
   * Uses that device from now on, in calls under way, too.
   * @param {Kind | 'output'} kind an `output` is the page's to use, with setSinkId
   * @param {string} id a deviceId; empty for the browser's choice
   */
  choose(kind, id) {
    this.chosen = { ...this.chosen, [kind]: id };
    keep(KEPT, JSON.stringify(this.chosen));
    this.emit('chosen', kind);
  }

  /**
   * Opens microphone and camera; the browser asks the person.  Rejects with one of DEVICE_CODES.
   * @param {Wish} [wish] by default the microphone
   * @returns {Promise<MediaStream>} whoever opens it closes it, unless a call has taken it
   */
  async open({ audio = true, video = false, small = false } = {}) {
    if (!this.#media?.getUserMedia) throw new CarillonError('insecure-context', 'This page has to be opened by https.');
    const sound = { ...SOUND, ...this.#device('audio') };
    const picture = { ...(small ? SMALL_PICTURE : PICTURE), ...this.#device('video') };
    const attempts = [{ ...(audio && { audio: sound }), ...(video && { video: picture }) }];
    // No camera, a busy one, or only the camera refused: the second attempt finds out what is wrong with the microphone.
    if (audio && video) attempts.push({ audio: sound });
    /** @type {CarillonError | undefined} */
    let fault;
    for (const constraints of attempts) {
      try {
        const stream = await this.#media.getUserMedia(constraints);
        if (!this.list.some(({ label }) => label)) void this.refresh();
        return stream;
      } catch (error) {
        fault = faultOf(error, audio ? 'no-microphone' : 'no-camera');
        if (fault.code === 'media-failed') break;
      }
    }
    throw fault ?? faultOf(undefined, '');
  }

  /**
   * Lets the person choose a screen or window.  Rejects with `denied` when nothing was chosen.
   * @returns {Promise<MediaStream>}
   */
  async openScreen() {
    try {
      if (!this.#media?.getDisplayMedia) throw new TypeError('no getDisplayMedia');
      return await this.#media.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    } catch (error) {
      throw faultOf(error, 'media-failed');
    }
  }

  /**
   * Not exact: a device that was unplugged is no reason to have none.
   * @param {Kind} kind
   */
  #device(kind) {
    // A camera that was chosen need not face the person.
    return this.chosen[kind] ? { deviceId: { ideal: this.chosen[kind] }, ...(kind === 'video' && { facingMode: undefined }) } : {};
  }
}

/**
 * Whether all that the stream had still comes: devices are unplugged, permissions taken back.
 * @param {MediaStream} stream
 */
export function stillOpen(stream) {
  return stream.getTracks().every((track) => track.readyState === 'live');
}

/** @param {MediaStream | undefined} stream */
export function closeMedia(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * How loud the stream is, from 0 to 1; of a preview, say.
 * @param {MediaStream} stream
 * @returns {{ level: () => number, close: () => void }}
 */
export function levelMeter(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const samples = new Float32Array(analyser.fftSize);
  context.createMediaStreamSource(stream).connect(analyser);
  return {
    level() {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      // From -60 dB, which is silence, to -10 dB, which is shouting.
      return Math.min(1, Math.max(0, (10 * Math.log10(power || 1e-9) + 60) / 50));
    },
    close: () => void context.close(),
  };
}

/**
 * @param {unknown} error
 * @param {string} missing the code if there is no such device
 */
function faultOf(error, missing) {
  const fault = (error instanceof Error && FAULTS[error.name]) || 'media-failed';
  const code = fault === 'missing' ? missing : fault;
  return new CarillonError(code, `The device cannot be used: ${code}.`, String(error));
}

/** @returns {Partial<Chosen>} */
function kept() {
  try {
    return JSON.parse(recall(KEPT));
  } catch {
    return {};
  }
}
