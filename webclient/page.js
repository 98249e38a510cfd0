// The page: takes what the person does and what the library reports, and shows the state that follows.

import { block, isBlocked } from './blocked.js';
import { Carillon, DEVICE_CODES } from './carillon.js';
import { closeChat, openChat, showChat, wireChat } from './chat.js';
import { wireChoices } from './choose.js';
import { wireControls } from './controls.js';
import { closeMedia } from './devices.js';
import { bareOf } from './identity.js';
import { addressToCall, linkedAddress, nameGiven, showAccount, showBusy, showContacts, showLink, showNameError, wireReach } from './lobby.js';
import { wireMeet } from './meet.js';
import { interruptedCall, mediaOfCall, remember, rememberCall, remembered } from './names.js';
import { closePreview, showPreview, streamFor, wirePreview } from './preview.js';
import { ringIncoming, ringOutgoing, ringWaiting, stopRinging } from './ring.js';
import { closeSheets, openSheet, wireSheets } from './sheets.js';
import { wireLanguage } from './speak.js';
import {
  clearStage, endingText, hideIncoming, holdAnswers, nameOf, openIncoming, showCallNotice, showEnded, showIncoming, showStage, showStatus, showWaiting, warningText,
} from './stage.js';
import { next } from './states.js';
import { t } from './strings.js';
import { any, button, complain, element, errorText, hold, input, play, say, setText, show, video } from './view.js';

/** @typedef {import('./carillon.js').Call} Call */
/** @typedef {import('./states.js').PageState} PageState */

const carillon = new Carillon();

/** @type {PageState} */
let state = 'connecting';
/** @type {Call | undefined} the one on the screen */
let call;
/** @type {import('./stage.js').Over | undefined} the last one that is over */
let over;
/** @type {Call[]} those that ring while another one goes on */
let waiting = [];
/** Whom the person is about to call. */
let calling = '';
/** The call of theirs that came meanwhile. @type {Call | undefined} */
let theirs;
let warning = '';
/** @type {ReturnType<typeof setTimeout> | undefined} */
let calm;
const WARNING_TIME = 12_000;

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
  if (state !== 'in-call') stopRinging();
  if (state === 'incoming' && call) {
    closeSheets();
    showIncoming(call);
    ringIncoming();
  }
  if (state === 'ringing') ringOutgoing();
  if (state === 'connecting-media' && call) rememberCall(call.address, call.media, false);
  if (state === 'ended' && over) showEnding(over);
  if (state !== 'idle' || before !== 'ended') return;
  show('lobby', true);
  // A name that was refused on the ended screen is mended here.
  (input('name').hasAttribute('aria-invalid') ? input('name') : any('call-title')).focus();
}

/** @param {import('./stage.js').Over} ended */
function showEnding(ended) {
  clearStage();
  closeSheets();
  // Where the messages cover everything they would hide that the call is over.
  if (matchMedia('(max-width: 52rem)').matches) closeChat();
  show('ended', true);
  showEnded(ended);
  const [another] = waiting.splice(0, 1);
  if (another) ring(another);
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
  const about = state === 'ended' ? over : call;
  const values = { name: about ? nameOf(about) : '', reason: about?.ending ? endingText(about.ending) : '' };
  setText('state', state === 'idle' && !carillon.name ? t('state.idle.name') : t(`state.${state}`, values));
  const [caller] = state === 'incoming' && call ? [call] : waiting;
  document.title = caller ? t('incoming.title', { name: nameOf(caller) }) : t('title');
}

/** Says again, in another language, what is on the screen. */
function sayAgain() {
  showLink(carillon);
  showPreview();
  people();
  showChat();
  if (state === 'ended' && over) showEnded(over);
  render();
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
    } else render();
  });
  taken.on('warning', (about) => {
    if (taken === call) warn(warningText(about));
  });
  taken.on('ended', () => {
    if (taken !== call) return;
    over = taken.ending?.reason === 'declined' && isBlocked(taken.address) ? { ...taken, ending: { reason: 'declined', text: '', code: 'blocked' } } : taken;
    happen('ended');
  });
}

/** @param {Call} taken */
function ring(taken) {
  follow(taken);
  happen('ring');
}

/**
 * What a person should know for a while.
 * @param {string} text
 */
function warn(text) {
  warning = text;
  render();
  clearTimeout(calm);
  calm = setTimeout(() => {
    warning = '';
    render();
  }, WARNING_TIME);
}

/** @param {Call} arriving */
function arrive(arriving) {
  if (isBlocked(arriving.address)) return arriving.decline();
  if (bareOf(arriving.address) === calling) return void (theirs = arriving);
  if (next(state, 'ring') === 'incoming') return ring(arriving);
  waiting.push(arriving);
  closeSheets();
  if (state === 'in-call') ringWaiting();
  arriving.on('ended', () => {
    waiting = waiting.filter((each) => each !== arriving);
    if (!waiting.length && state === 'in-call') stopRinging();
    render();
  });
  render();
}

/** Answers the one that waits; the call on the screen ends by that. */
async function swap() {
  const [taken] = waiting;
  const left = call;
  if (!taken || !left) return;
  hold(['waiting-accept', 'waiting-decline'], true);
  try {
    const stream = await carillon.devices.open({ video: left.hasVideo && taken.media.includes('video') });
    if (taken.state !== 'incoming' || call !== left || left.ending) return closeMedia(stream);
    waiting = waiting.filter((each) => each !== taken);
    follow(taken);
    left.hangUp();
    clearStage();
    stopRinging();
    happen('swap');
    await taken.accept(stream).catch(() => {});
  } catch (error) {
    warn(errorText(error));
  } finally {
    hold(['waiting-accept', 'waiting-decline'], false);
  }
}

/** @param {unknown} error */
function isDevice(error) {
  return DEVICE_CODES.includes(/** @type {{ code?: string }} */ (error).code ?? '');
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
  calling = bareOf(address);
  try {
    showBusy(t('busy.media'));
    stream = await streamFor(wantVideo);
    showBusy(t('state.connecting'));
    await takeName(name);
  } catch (error) {
    closeMedia(stream);
    stream = undefined;
    // A refused name has been complained about at its field, which only the lobby shows.
    if (carillon.name || isDevice(error) || !inLobby) say(errorId, errorText(error));
  }
  showBusy();
  const met = theirs?.ending ? undefined : theirs;
  calling = '';
  theirs = undefined;
  // Another call may have come in while the browser was asking.
  if (!stream || next(state, 'dial') !== 'dialing') {
    closeMedia(stream);
    if (met) arrive(met);
    return;
  }
  // Theirs is as good as ours, but has no picture if they did not ask for one.
  for (const track of met?.media.includes('video') === false ? stream.getVideoTracks() : []) {
    track.stop();
    stream.removeTrack(track);
  }
  follow(met ?? carillon.dial(address, stream));
  happen('dial');
  void met?.accept(stream).catch(() => {});
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
      say('incoming-error', errorText(error));
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

function wire() {
  const callLobby = (/** @type {boolean} */ wantVideo) => {
    const address = addressToCall();
    if (address) void dial(address, wantVideo, 'call-error');
  };
  element('call-form', HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    // Enter in the name field is about the name.
    if (document.activeElement === input('name') && !input('address').value) return input('address').focus();
    callLobby(document.body.dataset.camera !== 'none');
  };
  button('call-audio').onclick = () => callLobby(false);
  button('test-open').onclick = () => void openTest();
  input('name').onchange = () => void nameChanged();
  wireControls({ call: () => call, devices: carillon.devices, warn, changed: render });
  button('sound').onclick = () => void play(video('remote-video'), call?.remoteStream).then((heard) => show('sound', !heard));
  wireIncoming();
  button('back').onclick = () => leaveEnded();
  button('again').onclick = () => {
    if (over) void dial(over.address, over.media.includes('video'), 'ended-error');
  };
  button('ended-write').onclick = () => { if (over) openChat(over.address); };
}

function wireIncoming() {
  button('incoming-accept-audio').onclick = () => void answer(false);
  button('incoming-accept-video').onclick = () => void answer(true);
  button('incoming-decline').onclick = () => call?.decline();
  button('incoming-block').onclick = () => {
    if (!call) return;
    const { address } = call;
    block(address);
    call.decline();
    people();
    // Nor are they to see when this page is open.
    if (carillon.contacts.some((contact) => contact.address === address && contact.state === 'approved')) void carillon.forget(address).catch(() => {});
  };
  // Escape must not hide a call that goes on ringing.
  const incoming = element('incoming', HTMLDialogElement);
  incoming.oncancel = (event) => event.preventDefault();
  incoming.onclose = () => { if (call && state === 'incoming') openIncoming(call); };
  button('waiting-accept').onclick = () => void swap();
  button('waiting-decline').onclick = () => waiting[0]?.decline();
}

/** The test is loaded when it is wanted. */
async function openTest() {
  closePreview();
  say('call-error');
  try {
    const { prepareTest } = await import('./selftest.js');
    prepareTest(carillon);
    openSheet('test');
  } catch {
    say('call-error', t('error.link-lost'));
  }
}

function people() {
  showContacts(carillon, {
    call: (address, wantVideo) => {
      input('address').value = address;
      void dial(address, wantVideo, 'call-error');
    },
    write: openChat,
  });
}

/** Draws the icons of what is hidden until there is a script. */
function drawIcons() {
  for (const place of document.querySelectorAll('[data-icon]')) {
    place.prepend(element('icon', HTMLTemplateElement).content.cloneNode(true));
    place.querySelector('use')?.setAttribute('href', `icons.svg#${place.getAttribute('data-icon')}`);
  }
}

/**
 * A call ended because this page was loaded anew: it offers to ring again.
 * @param {string} address
 * @param {string[]} media
 */
function lost(address, media) {
  if (next(state, 'lost') !== 'ended') return;
  over = { address, media, connectedAt: 0, ending: { reason: 'reloaded', text: '' } };
  happen('lost');
}

function leaveEnded() {
  call = over = undefined;
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
    // Not while somebody types there, and has just emptied it.
    if (document.activeElement !== input('name')) input('name').value ||= carillon.name;
    complain(input('name'), 'name-error');
  });
  carillon.on('refused', (error) => {
    showAccount(carillon);
    showNameError(error);
  });
  carillon.on('contacts', people);
  carillon.on('incoming', arrive);
  // A page that could not say goodbye hears of it from the server.
  carillon.on('lost', ({ address }) => lost(address, mediaOfCall(address)));
  document.addEventListener('visibilitychange', () => { if (!document.hidden) carillon.retry(); });
  addEventListener('pagehide', () => {
    if (call && !call.ending) rememberCall(call.address, call.media, true);
    carillon.close();
  });
  addEventListener('pageshow', ({ persisted }) => { if (persisted && carillon.name) void takeName(carillon.name).catch(() => {}); });
  setInterval(() => { if (call && state === 'in-call') showStatus(call, state); }, 1000);
}

drawIcons();
wireLanguage(sayAgain);
wireSheets();
wireChoices(carillon.devices);
wirePreview(carillon.devices);
wireChat(carillon, render);
wire();
wireReach(carillon);
wireMeet();
listen();
showLink(carillon);
void carillon.devices.refresh();
input('name').value = remembered();
input('address').value = linkedAddress();
if (input('name').value) void nameChanged();
else happen('ready');
const interrupted = interruptedCall();
if (interrupted) lost(interrupted.address, interrupted.media);
// For the console and for tests: the one instance of the library that this page uses.
Object.assign(window, { carillon });
