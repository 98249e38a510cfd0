// The buttons of a call: what a press does, and how the connection is.

import { chatLabel, chatOpen, closeChat, openChat, unread } from './chat.js';
import { placeChoices, showChoices } from './choose.js';
import { closeSheets, openSheet, sheetOpen } from './sheets.js';
import { t } from './strings.js';
import { any, button, element, errorText, hold, say, setText, show, showToggle } from './view.js';

/** @typedef {import('./carillon.js').Call} Call */
/** @typedef {import('./stats.js').Statistics} Statistics */
/**
 * What the controls need of the page.
 * @typedef {object} Owner
 * @property {() => Call | undefined} call the one on the screen
 * @property {import('./devices.js').Devices} devices
 * @property {(text: string) => void} warn
 * @property {() => void} changed
 */

const STATISTICS_INTERVAL = 2000;

/** @param {Owner} owner */
export function wireControls(owner) {
  const press = (/** @type {string} */ id, /** @type {(call: Call) => unknown} */ act) => {
    button(id).onclick = () => {
      const call = owner.call();
      if (call) act(call);
    };
  };
  press('hang-up', (call) => call.hangUp());
  press('mute', (call) => call.mute(!call.muted));
  press('camera', (call) => void toggleCamera(owner, call));
  press('screen', (call) => void toggleScreen(owner, call));
  press('chat-open', (call) => {
    if (chatOpen(call.address)) closeChat();
    else openChat(call.address);
    owner.changed();
  });
  button('more-open').onclick = () => {
    openSheet('more');
    void measure(owner.call());
  };
  press('hold', (call) => {
    closeSheets();
    call.hold(!call.held);
  });
  press('resume', (call) => {
    call.hold(false);
    button('more-open').focus();
  });
  press('devices-open', (call) => {
    openSheet('settings');
    showChoices(owner.devices);
    placeChoices('settings-devices', call.localStream ?? new MediaStream());
  });
  element('settings', HTMLDialogElement).onclose = () => placeChoices('lobby-devices', undefined);
  wireKeypad(owner);
  wireFullScreen();
  setInterval(() => void measure(owner.call()), STATISTICS_INTERVAL);
}

/**
 * @param {Owner} owner
 * @param {Call} call
 */
async function toggleCamera(owner, call) {
  if (call.hasVideo && !call.lostMedia.includes('video')) return call.turnCameraOff(!call.cameraOff);
  hold(['camera'], true);
  await call.addVideo().catch((error) => owner.warn(errorText(error.code === 'no-microphone' || error.code === 'denied' ? { code: 'no-camera' } : error)));
  hold(['camera'], false);
}

/**
 * @param {Owner} owner
 * @param {Call} call
 */
async function toggleScreen(owner, call) {
  hold(['screen'], true);
  await (call.screen ? call.stopScreen() : call.shareScreen()).catch((error) => owner.warn(error.code === 'denied' ? t('error.screen') : errorText(error)));
  hold(['screen'], false);
}

/** @param {Owner} owner */
function wireKeypad(owner) {
  const tone = (/** @type {string} */ key) => {
    say('keypad-error');
    try {
      owner.call()?.sendTones(key);
      setText('keypad-sent', `${any('keypad-sent').textContent}${key}`.slice(-20));
    } catch (error) {
      say('keypad-error', errorText(error));
    }
  };
  button('keypad-open').onclick = () => {
    setText('keypad-sent', '');
    say('keypad-error');
    openSheet('keypad');
  };
  any('keys').append(...[...'123456789*0#'].map((key) => {
    const made = document.createElement('button');
    made.textContent = made.dataset.tone = key;
    made.onclick = () => tone(key);
    return made;
  }));
  any('keypad').onkeydown = ({ key, ctrlKey, altKey, metaKey }) => { if (/^[0-9*#]$/.test(key) && !ctrlKey && !altKey && !metaKey) tone(key); };
}

function wireFullScreen() {
  const root = document.documentElement;
  show('full', Boolean(root.requestFullscreen));
  button('full').onclick = () => {
    closeSheets();
    void (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()).catch(() => {});
  };
  document.onfullscreenchange = showFull;
  showFull();
}

const showFull = () => setText('full-text', t(document.fullscreenElement ? 'stage.unfull' : 'stage.full'));

/**
 * @param {Call} call
 * @param {boolean} settled whether there is a connection that can be changed
 */
export function showControls(call, settled) {
  showToggle('mute', call.muted, t(call.muted ? 'stage.unmute' : 'stage.mute'));
  const filming = call.hasVideo && !call.cameraOff && !call.lostMedia.includes('video');
  show('camera', call.hasVideo || (settled && document.body.dataset.camera !== 'none'));
  showToggle('camera', call.hasVideo && !filming, t(filming ? 'stage.camera.off' : 'stage.camera.on'));
  for (const id of ['chat-open', 'more-open']) show(id, settled);
  show('screen', settled && Boolean(navigator.mediaDevices?.getDisplayMedia));
  showToggle('screen', call.screen !== undefined, t(call.screen ? 'stage.screen.off' : 'stage.screen.on'));
  setText('chat-open-text', chatLabel(call.address));
  button('chat-open').dataset.unread = String(unread(call.address) || '');
  button('chat-open').setAttribute('aria-expanded', String(chatOpen(call.address)));
  show('keypad-open', call.takesTones);
  setText('hold-text', t(call.held ? 'stage.unhold' : 'stage.hold'));
  showFull();
}

/** @param {Call | undefined} call */
async function measure(call) {
  if (call?.state !== 'connected') return;
  const statistics = await call.statistics().catch(() => undefined);
  if (!statistics || call.ending) return;
  const { route, rtt, loss = 0 } = statistics;
  const percent = Math.round(loss * 100);
  say('quality', route && rtt !== undefined ? t('stats.line', { route: t(`stats.${route}`), rtt: Math.round(rtt), loss: percent }) : '');
  any('quality').toggleAttribute('data-poor', percent >= 5 || (rtt ?? 0) > 400);
  if (sheetOpen('more')) list(statistics);
}

/** @param {Statistics} statistics */
function list({ route, protocol, rtt, jitter, loss, lossThere, received, sent, codecs, picture }) {
  const as = (/** @type {Intl.NumberFormatOptions} */ options) => (/** @type {number | undefined} */ value) => value?.toLocaleString(document.documentElement.lang, options) ?? '–';
  const percent = as({ style: 'percent', maximumFractionDigits: 1 });
  const whole = (/** @type {string} */ unit) => as({ style: 'unit', unit, maximumFractionDigits: 0 });
  const rate = whole('kilobit-per-second');
  const time = whole('millisecond');
  /** @type {Array<[import('./strings.js').Key, string]>} */
  const rows = [
    ['stats.route', route ? `${t(`stats.${route}`)}, ${(protocol ?? '').toUpperCase()}` : t('stats.measuring')],
    ['stats.rtt', `${time(rtt)} ± ${time(jitter)}`],
    ['stats.loss', `${percent(loss)} / ${percent(lossThere)}`],
    ['stats.rate', `${rate(received && received / 1000)} / ${rate(sent && sent / 1000)}`],
    ['stats.codecs', Object.values(codecs).join(', ') || '–'],
    ['stats.picture', picture ? `${picture.width} × ${picture.height}, ${Math.round(picture.fps)} fps` : '–'],
  ];
  any('stats').replaceChildren(...rows.flatMap(([key, value]) => ['dt', 'dd'].map((tag, index) => {
    const made = document.createElement(tag);
    made.textContent = index ? value : t(key);
    return made;
  })));
}
