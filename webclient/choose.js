// Choosing microphone, camera and loudspeaker, in the lobby and during a call, and how loud the microphone is.

import { levelMeter } from './devices.js';
import { t } from './strings.js';
import { any, select, show, video } from './view.js';

/** @typedef {import('./devices.js').Devices} Devices */

const KINDS = /** @type {const} */ (['audio', 'video', 'output']);
const LEVEL_INTERVAL = 80;

/** @type {ReturnType<typeof levelMeter> | undefined} */
let meter;
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

/** @param {Devices} devices */
export function wireChoices(devices) {
  for (const kind of KINDS) select(`choose-${kind}`).onchange = () => devices.choose(kind, select(`choose-${kind}`).value);
  devices.on('change', () => showChoices(devices));
  devices.on('chosen', (kind) => {
    showChoices(devices);
    if (kind === 'output') useOutput(devices);
  });
  useOutput(devices);
}

/** @param {Devices} devices */
export function showChoices(devices) {
  const lists = { audio: devices.microphones, video: devices.cameras, output: 'setSinkId' in HTMLMediaElement.prototype ? devices.speakers : [] };
  for (const kind of KINDS) {
    const field = select(`choose-${kind}`);
    const named = lists[kind].filter(({ deviceId, label }) => deviceId && deviceId !== 'default' && label);
    const options = [new Option(t('devices.default'), ''), ...named.map(({ deviceId, label }) => new Option(label, deviceId))];
    field.replaceChildren(...options);
    field.value = named.some(({ deviceId }) => deviceId === devices.chosen[kind]) ? devices.chosen[kind] : '';
    if (field.parentElement) field.parentElement.hidden = named.length === 0;
  }
  document.body.dataset.camera = devices.list.length && !devices.cameras.length ? 'none' : 'some';
}

/**
 * Shows the choices there, with the level of that stream; without a stream they are put away.
 * @param {string} place
 * @param {MediaStream | undefined} stream
 */
export function placeChoices(place, stream) {
  if (any('devices').parentElement !== any(place)) any(place).append(any('devices'));
  show(place, stream !== undefined);
  clearInterval(timer);
  meter?.close();
  meter = undefined;
  const level = any('level');
  level.hidden = !stream?.getAudioTracks().length;
  if (!stream || level.hidden) return;
  const running = meter = levelMeter(stream);
  const bar = level.querySelector('span');
  timer = setInterval(() => {
    const percent = Math.round(running.level() * 100);
    level.setAttribute('aria-valuenow', String(percent));
    if (bar) bar.style.width = `${percent}%`;
  }, LEVEL_INTERVAL);
}

/** @param {Devices} devices */
function useOutput(devices) {
  const remote = /** @type {HTMLVideoElement & { setSinkId?: (id: string) => Promise<void> }} */ (video('remote-video'));
  // One that is not there any more: the browser's stays.
  if (devices.chosen.output) remote.setSinkId?.(devices.chosen.output).catch(() => {});
}
