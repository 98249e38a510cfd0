// Microphone and camera.

/** @typedef {'denied' | 'no-microphone' | 'in-use' | 'insecure' | 'failed'} MediaFault */

/** Why there is no stream. */
export class MediaProblem extends Error {
  /** @param {MediaFault} fault */
  constructor(fault) {
    super(fault);
    this.fault = fault;
  }
}

/** @type {Record<string, MediaFault>} */
const FAULTS = {
  NotAllowedError: 'denied', SecurityError: 'denied', NotFoundError: 'no-microphone', OverconstrainedError: 'no-microphone', NotReadableError: 'in-use', AbortError: 'in-use',
};

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: 'user' };
// In a room every browser sends its picture to each of the others by itself.
const SMALL_PICTURE = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { max: 24 }, facingMode: 'user' };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/**
 * Opens the microphone, and the camera if it is wished for and there is one that works: a call without picture is better than none.
 * @param {boolean} video
 * @param {boolean} [small] whether the picture is for several
 * @returns {Promise<MediaStream>} rejects with a MediaProblem
 */
export async function openMedia(video, small = false) {
  const devices = globalThis.navigator?.mediaDevices;
  if (!devices?.getUserMedia) throw new MediaProblem('insecure');
  if (video) {
    try {
      return await devices.getUserMedia({ audio: SOUND, video: small ? SMALL_PICTURE : PICTURE });
    } catch (error) {
      // No camera, a busy one, or only the camera refused: the second attempt finds out what is wrong with the microphone.
      if (faultOf(error) === 'failed') throw new MediaProblem('failed');
    }
  }
  try {
    return await devices.getUserMedia({ audio: SOUND });
  } catch (error) {
    throw new MediaProblem(faultOf(error));
  }
}

/**
 * Opens one device for a room.
 * @param {'audio' | 'video'} kind
 * @returns {Promise<MediaStream>} rejects with a MediaProblem
 */
export async function openDevice(kind) {
  try {
    return await globalThis.navigator.mediaDevices.getUserMedia(kind === 'audio' ? { audio: SOUND } : { video: SMALL_PICTURE });
  } catch (error) {
    throw new MediaProblem(faultOf(error));
  }
}

/** @param {unknown} error */
function faultOf(error) {
  return (error instanceof Error && FAULTS[error.name]) || 'failed';
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
