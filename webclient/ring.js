// The bell of an incoming call and the tone of an outgoing one, made by WebAudio.

const BELL = [659.3, 523.3, 587.3, 392]; // the first quarter of the Westminster chimes
const TONE = [440];

/** @type {AudioContext | undefined} */
let context;
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;
/** @type {GainNode | undefined} */
let output;

/** Rings until stopRinging; silent where the browser wants a click first. */
export function ringIncoming() {
  start(BELL, 0.55, 5000, 0.16);
}

/** The tone that a caller hears. */
export function ringOutgoing() {
  start(TONE, 1, 4000, 0.05);
}

export function stopRinging() {
  clearInterval(timer);
  timer = undefined;
  if (!context || !output) return;
  output.gain.setTargetAtTime(0, context.currentTime, 0.03);
  output = undefined;
}

/**
 * @param {number[]} notes in Hz
 * @param {number} spacing in seconds
 * @param {number} period in milliseconds
 * @param {number} volume
 */
function start(notes, spacing, period, volume) {
  stopRinging();
  try {
    context ??= new AudioContext();
  } catch {
    return;
  }
  void context.resume().catch(() => {});
  output = context.createGain();
  output.gain.value = volume;
  output.connect(context.destination);
  const play = () => notes.forEach((note, index) => strike(note, index * spacing));
  play();
  timer = setInterval(play, period);
}

/**
 * One stroke of a bell: the note and two soft partials, dying away.
 * @param {number} note
 * @param {number} delay
 */
function strike(note, delay) {
  if (!context || !output || context.state !== 'running') return;
  const at = context.currentTime + delay;
  for (const [ratio, level] of [[1, 1], [2, 0.35], [2.76, 0.12]]) {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.frequency.value = note * ratio;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(level, at + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 1.6);
    oscillator.connect(gain).connect(output);
    oscillator.start(at);
    oscillator.stop(at + 1.7);
  }
}
