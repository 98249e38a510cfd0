// The page: takes what the person does and what the library reports, and shows the state that follows.

import { Carillon, DEVICE_CODES } from './carillon.js';
import { closeMedia, stillOpen } from './devices.js';
import { addressToCall, nameGiven, showAccount, showBusy, showContacts, showLink, showNameError, showPreview, wireReach } from './lobby.js';
import { remember, remembered } from './names.js';
import { ringIncoming, ringOutgoing, stopRinging } from './ring.js';
import {
  clearStage, endingText, hideIncoming, holdAnswers, nameOf, openIncoming, showCallNotice, showEnded, showIncoming, showStage, showStatus, showWaiting,
} from './stage.js';
import { next } from './states.js';
import { addressIn, t } from './strings.js';
import { any, button, complain, element, errorText, input, play, say, setText, show, translate, video } from './view.js';

/** @typedef {import('./carillon.js').Call} Call */
/** @typedef {import('./states.js').PageState} PageState */

const carillon = new Carillon();

/** @type {PageState} */
let state = 'connecting';
/** @type {Call | undefined} the one on the screen, also when it is over */
let call;
/** @type {Call[]} those that ring while another one goes on */
let waiting = [];
/** @type {MediaStream | undefined} open in the lobby, for the preview or the next call */
let preview;
let warning = '';

/** @param {import('./states.js').Happening} happening */
function happen(happening) {
  const before = state;
  state = next(state, happening);
  if (state !== before) entered(before);
  render();
}

/** @param {PageState} before */
function entered(before) {
  document.body.dataset.state = state;
  if (state !== 'idle' && state !== 'connecting') say('call-error');
  if (before === 'incoming') hideIncoming();
  if (before === 'incoming' || before === 'dialing' || before === 'ringing') stopRinging();
  if (state === 'incoming' && call) {
    showIncoming(call);
    ringIncoming();
  }
  if (state === 'ringing') ringOutgoing();
  if (state === 'ended' && call) {
    clearStage();
    show('ended', true);
    showEnded(call);
    if (waiting.length) ring(/** @type {Call} */ (waiting.shift()));
  }
  if (state !== 'idle' || before !== 'ended') return;
  show('lobby', true);
  // A name that was refused on the ended screen is mended here.
  (input('name').hasAttribute('aria-invalid') ? input('name') : any('call-title')).focus();
}

function render() {
  const staged = ['dialing', 'ringing', 'connecting-media', 'in-call'].includes(state);
  show('lobby', state === 'connecting' || state === 'idle' || state === 'incoming');
  show('ended', state === 'ended');
  const opened = staged && any('stage').hidden;
  show('stage', staged);
  if (call && staged) {
    showStage(call, state);
    showCallNotice(carillon, call, warning);
    if (opened) any('peer').focus();
  }
  showWaiting(staged ? waiting[0] : undefined);
  const values = { name: call ? nameOf(call) : '', reason: call?.ending ? endingText(call.ending) : '' };
  setText('state', state === 'idle' && !carillon.name ? t('state.idle.name') : t(`state.${state}`, values));
  document.title = state === 'incoming' ? t('incoming.title', values) : t('title');
}

/**
 * Makes that call the one on the screen.
 * @param {Call} taken
 */
function follow(taken) {
  call = taken;
  warning = '';
  taken.on('change', () => {
    if (taken !== call) return;
    if (taken.state === 'ringing') happen('remote-rings');
    else if (taken.state === 'connecting') happen('answered');
    else if (taken.state === 'connected') {
      // A warning was about getting there.
      if (state !== 'in-call') warning = '';
      happen('connected');
    }
    else render();
  });
  taken.on('warning', ({ code, text }) => {
    warning = text || code;
    if (taken === call) render();
  });
  taken.on('ended', () => { if (taken === call) happen('ended'); });
}

/** @param {Call} taken */
function ring(taken) {
  follow(taken);
  happen('ring');
}

/** @param {Call} arriving */
function arrive(arriving) {
  if (next(state, 'ring') === 'incoming') return ring(arriving);
  waiting.push(arriving);
  arriving.on('ended', () => {
    waiting = waiting.filter((each) => each !== arriving);
    render();
  });
  render();
}

/**
 * The stream for a call: the preview's if it fits.
 * @param {boolean} wantVideo
 */
async function streamFor(wantVideo) {
  const kept = preview;
  preview = undefined;
  showPreview(undefined);
  if (kept && stillOpen(kept) && (!wantVideo || kept.getVideoTracks().length)) {
    for (const track of wantVideo ? [] : kept.getVideoTracks()) {
      track.stop();
      kept.removeTrack(track);
    }
    return kept;
  }
  closeMedia(kept);
  return carillon.devices.open({ video: wantVideo });
}

/** @param {unknown} error */
function isDevice(error) {
  return DEVICE_CODES.includes(/** @type {{ code?: string }} */ (error).code ?? '');
}

/** @param {unknown} error */
function problemText(error) {
  return errorText(error);
}

/**
 * Everything between the click and the call: address, microphone, a name that is attached.
 * @param {string} address
 * @param {boolean} wantVideo
 * @param {string} errorId where to complain
 */
async function dial(address, wantVideo, errorId) {
  const inLobby = errorId === 'call-error';
  const name = nameTyped() || carillon.name;
  if (!name) return nameGiven() || inLobby ? undefined : say(errorId, t('error.name'));
  say(errorId);
  /** @type {MediaStream | undefined} */
  let stream;
  try {
    showBusy(t('busy.media'));
    stream = await streamFor(wantVideo);
    showBusy(t('busy.attach'));
    await takeName(name);
  } catch (error) {
    closeMedia(stream);
    // A refused name has been complained about at its field, which only the lobby shows.
    return carillon.name || isDevice(error) || !inLobby ? say(errorId, problemText(error)) : undefined;
  } finally {
    showBusy();
  }
  // A call may have come in while the browser was asking.
  if (next(state, 'dial') !== 'dialing') return closeMedia(stream);
  follow(carillon.dial(address, stream));
  happen('dial');
}

/** @param {boolean} wantVideo */
async function answer(wantVideo) {
  const answered = call;
  if (!answered || state !== 'incoming') return;
  stopRinging();
  holdAnswers(true);
  say('incoming-error');
  try {
    const stream = await streamFor(wantVideo);
    if (answered.state === 'incoming') await answered.accept(stream).catch(() => {});
    else closeMedia(stream);
  } catch (error) {
    if (answered === call && state === 'incoming') {
      say('incoming-error', problemText(error));
      ringIncoming();
    }
  } finally {
    holdAnswers(false);
  }
}

/** The name in the field; an address cannot have blanks, but names do. */
const nameTyped = () => input('name').value.trim().replace(/\s+/g, '.');

/**
 * Attaches under that name and remembers it.
 * @param {string} name
 */
async function takeName(name) {
  const account = await carillon.attach(name);
  complain(input('name'), 'name-error');
  remember(name);
  return account;
}

async function nameChanged() {
  const name = nameTyped();
  if (!name || name === carillon.name) return complain(input('name'), 'name-error');
  try {
    await takeName(name);
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error);
    // The link says by itself that the server is away.
    if (code !== 'link-lost' && code !== 'closed') showNameError(error);
  }
}

async function togglePreview() {
  const open = preview;
  preview = undefined;
  closeMedia(open);
  say('call-error');
  if (!open) {
    showBusy(t('busy.media'));
    try {
      preview = await carillon.devices.open({ video: true });
    } catch (error) {
      say('call-error', problemText(error));
    }
    showBusy();
  }
  showPreview(preview);
}

/** The address in ?to= or #to=, as links carry it. */
function linkedAddress() {
  const from = (/** @type {string} */ part) => new URLSearchParams(part.slice(1)).get('to');
  return addressIn(from(location.search) ?? from(location.hash) ?? '') ?? '';
}

function wire() {
  const callLobby = (/** @type {boolean} */ wantVideo) => {
    const address = addressToCall();
    if (address) void dial(address, wantVideo, 'call-error');
  };
  element('call-form', HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    // Enter in the name field is about the name.
    if (document.activeElement === input('name') && !input('address').value) return input('address').focus();
    callLobby(true);
  };
  button('call-audio').onclick = () => callLobby(false);
  element('meet-form', HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    openRoom();
  };
  button('preview').onclick = () => void togglePreview();
  input('name').onchange = () => void nameChanged();
  button('hang-up').onclick = () => call?.hangUp();
  button('mute').onclick = () => call?.mute(!call.muted);
  button('camera').onclick = () => call?.turnCameraOff(!call.cameraOff);
  button('sound').onclick = () => void play(video('remote-video'), call?.remoteStream).then((heard) => show('sound', !heard));
  button('incoming-accept-audio').onclick = () => void answer(false);
  button('incoming-accept-video').onclick = () => void answer(true);
  button('incoming-decline').onclick = () => call?.decline();
  // Escape must not hide a call that goes on ringing.
  const incoming = element('incoming', HTMLDialogElement);
  incoming.oncancel = (event) => event.preventDefault();
  incoming.onclose = () => { if (call && state === 'incoming') openIncoming(call); };
  button('waiting-decline').onclick = () => waiting[0]?.decline();
  button('back').onclick = () => leaveEnded();
  button('again').onclick = () => {
    if (call) void dial(call.address, call.media.includes('video'), 'ended-error');
  };
}

function leaveEnded() {
  call = undefined;
  happen('dismiss');
  if (carillon.state === 'connecting' || carillon.state === 'away') happen('away');
}

function listen() {
  carillon.on('state', (link) => {
    showLink(carillon);
    if (link === 'connecting' || link === 'away') happen('away');
    else happen('ready');
  });
  carillon.on('attached', () => {
    showAccount(carillon);
    input('name').value ||= carillon.name;
    complain(input('name'), 'name-error');
  });
  carillon.on('refused', (error) => {
    showAccount(carillon);
    showNameError(error);
  });
  carillon.on('contacts', (contacts) => showContacts(carillon, contacts));
  carillon.on('incoming', arrive);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) carillon.retry(); });
  addEventListener('pagehide', () => carillon.close());
  addEventListener('pageshow', ({ persisted }) => { if (persisted && carillon.name) void takeName(carillon.name).catch(() => {}); });
  setInterval(() => { if (call && state === 'in-call') showStatus(call, state); }, 1000);
}

/** Goes to a room; without a name to one whose name nobody guesses. */
function openRoom() {
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => (byte % 36).toString(36)).join('');
  // A name is one part of the path.
  const name = input('meet-name').value.trim().replaceAll('/', '-') || random();
  location.assign(new URL(`r/${encodeURIComponent(name)}`, import.meta.url));
}

translate();
wire();
wireReach(carillon);
listen();
showLink(carillon);
input('name').value = remembered();
input('address').value = linkedAddress();
if (input('name').value) void nameChanged();
else happen('ready');
// For the console and for tests: the one instance of the library that this page uses.
Object.assign(window, { carillon });
