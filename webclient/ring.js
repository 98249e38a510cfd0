// The bell of an incoming call and the tone of an outgoing one, made by WebAudio.

const BELL = [659.3, 523.3, 587.3, 392]; // the first quarter of the Westminster chimes
const TONE = [440];

/** @type {AudioContext | undefined} */
let context;
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;
/** @type {GainNode | undefined} */
let output;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let rest;

const FADE = 0.03; // seconds; six of them are silence

/** Rings until stopRinging; silent where the browser wants a click first. */
export function ringIncoming() {
  start(BELL, 0.55, 5000, 0.16);
}

/** The tone that a caller hears. */
export function ringOutgoing() {
  start(TONE, 1, 4000, 0.05);
}

/** A soft sign that another one calls during a call. */
export function ringWaiting() {
  start(TONE.concat(TONE), 0.3, 6000, 0.03);
}

/** Stops at once, and lets go of the loudspeaker: an audio context that runs keeps phones awake and headsets in use. */
export function stopRinging() {
  clearInterval(timer);
  timer = undefined;
  const silenced = output;
  output = undefined;
  if (!context || !silenced) return;
  silenced.gain.setTargetAtTime(0, context.currentTime, FADE);
  rest = setTimeout(() => {
    silenced.disconnect();
    void context?.suspend().catch(() => {});
  }, FADE * 6000);
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
  clearTimeout(rest);
  const mine = output = context.createGain();
  mine.gain.value = volume;
  mine.connect(context.destination);
  const play = () => notes.forEach((note, index) => strike(note, index * spacing));
  const running = context;
  void running.resume().then(() => { if (output === mine) play(); }, () => {});
  // Held back until the person has clicked somewhere: ask again.
  timer = setInterval(() => {
    if (running.state === 'running') play();
    else void running.resume().catch(() => {});
  }, period);
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
