// A call on the screen: while it is made, while it rings here, while it lasts, and when it is over.

import { showControls } from './controls.js';
import { clock, has, keyOf, t } from './strings.js';
import { any, button, drawAvatar, element, fullName, hold, play, say, sentence, setText, shortName, show, video } from './view.js';

/** @typedef {import('./carillon.js').Carillon} Carillon */
/** @typedef {import('./carillon.js').Call} Call */
/** @typedef {import('./states.js').PageState} PageState */

/** What is left of a call when it is over. @typedef {Pick<Call, 'address' | 'media' | 'connectedAt' | 'ending'>} Over */

export const nameOf = (/** @type {Over} */ call) => shortName(call.address);

/**
 * @param {Call} call
 * @param {PageState} state
 */
export function showStage(call, state) {
  const stage = any('stage');
  stage.dataset.picture = call.hasRemoteVideo ? 'video' : 'none';
  setText('peer', nameOf(call));
  drawAvatar('avatar', nameOf(call), call.address);
  showStatus(call, state);
  // An element that was given a stream before it had tracks may stay silent.
  const remote = call.remoteStream?.getTracks().length ? call.remoteStream : undefined;
  void play(video('remote-video'), remote).then((heard) => show('sound', !heard));
  const screen = call.remoteScreen;
  stage.toggleAttribute('data-screen', screen !== undefined);
  show('remote-screen', screen !== undefined);
  void play(video('remote-screen'), screen);
  showOwn(call);
  showControls(call, state === 'in-call');
  say('remote-muted', call.remote.muted ? t('stage.remote.muted', { name: nameOf(call) }) : '');
  setText('hang-up-text', t(state === 'dialing' || state === 'ringing' ? 'stage.cancel' : 'stage.hangup'));
}

/**
 * The line below the name: what is going on, or how long it has lasted.
 * @param {Call} call
 * @param {PageState} state
 */
export function showStatus(call, state) {
  if (state === 'in-call') setText('status', clock(Date.now() - call.connectedAt));
  else if (state === 'dialing' || state === 'ringing' || state === 'connecting-media') setText('status', t(`status.${state}`));
}

/** @param {Call} call */
function showOwn(call) {
  const picture = (call.localStream?.getVideoTracks().length ?? 0) > 0;
  const own = video('local-video');
  own.hidden = !picture || call.cameraOff || call.lostMedia.includes('video');
  void play(own, picture ? call.localStream : undefined);
}

/**
 * What a person should know though the call goes on; the most urgent one only.
 * @param {Carillon} carillon
 * @param {Call} call
 * @param {string} warning
 */
export function showCallNotice(carillon, call, warning) {
  const lost = call.lostMedia.length > 1 ? 'both' : call.lostMedia[0];
  const name = nameOf(call);
  show('resume', call.held);
  if (call.interrupted) say('call-notice', t('stage.interrupted'));
  else if (lost) say('call-notice', t(`media.lost.${lost}`));
  else if (carillon.state !== 'attached' || !carillon.linkUp) say('call-notice', t('stage.away'));
  else if (warning) say('call-notice', warning);
  else if (call.held) say('call-notice', t('stage.held'));
  else if (call.remote.held) say('call-notice', t('stage.remote.held', { name }));
  else if (call.screen) say('call-notice', t('stage.sharing'));
  else say('call-notice', call.muted ? t('stage.muted') : '');
}

/**
 * What a warning of the server or of the library means.
 * @param {{ code: string, text: string }} warning
 */
export function warningText({ code, text }) {
  const key = keyOf(code, 'warning');
  return key ? t(key, { text }) : sentence(text || code);
}

/** @param {Call | undefined} call another one that rings during this one */
export function showWaiting(call) {
  show('waiting', call !== undefined);
  setText('waiting-text', call ? t('waiting', { name: fullName(call.name, call.address) }) : '');
}

/** @param {Call} call */
export function showIncoming(call) {
  setText('incoming-who', call.name || nameOf(call));
  setText('incoming-address', call.address);
  setText('incoming-what', t(call.media.includes('video') ? 'incoming.video' : 'incoming.audio'));
  drawAvatar('incoming-avatar', nameOf(call), call.address);
  show('incoming-accept-video', call.media.includes('video'));
  say('incoming-error');
  holdAnswers(false);
  openIncoming(call);
}

/**
 * Opens the dialog, also when the browser has closed it: Chromium lets Escape do that whatever the page says, until it knows `closedby`.
 * @param {Call} call
 */
export function openIncoming(call) {
  const dialog = element('incoming', HTMLDialogElement);
  if (dialog.open) return;
  dialog.showModal();
  button(call.media.includes('video') ? 'incoming-accept-video' : 'incoming-accept-audio').focus();
}

export function hideIncoming() {
  element('incoming', HTMLDialogElement).close();
}

/**
 * While the browser asks for the microphone: say so, and take no second answer; declining stays possible.
 * @param {boolean} held
 */
export function holdAnswers(held) {
  hold(['incoming-accept-audio', 'incoming-accept-video'], held);
}

/** @param {Over} call */
export function showEnded(call) {
  setText('ended-title', nameOf(call));
  drawAvatar('ended-avatar', nameOf(call), call.address);
  setText('ended-address', call.address);
  const refused = ['not_allowed', 'bad_address', 'blocked'].includes(call.ending?.code ?? '');
  for (const id of ['again', 'ended-write']) show(id, !refused);
  setText('ended-reason', call.ending ? endingText(call.ending) : '');
  say('ended-duration', call.connectedAt ? t('ended.lasted', { duration: clock(Date.now() - call.connectedAt) }) : '');
  say('ended-error');
  any('ended-title').focus();
}

/**
 * Why a call ended, and what to do next.
 * @param {import('./call.js').Ending} ending
 */
export function endingText({ reason, text, code = '' }) {
  const key = keyOf(code) ?? `end.${reason}`;
  return has(key) ? t(key) : sentence(text) || t('end.failed');
}

export function clearStage() {
  void play(video('remote-video'), undefined);
  void play(video('local-video'), undefined);
  void play(video('remote-screen'), undefined);
  say('quality');
  say('call-notice');
  show('sound', false);
}
