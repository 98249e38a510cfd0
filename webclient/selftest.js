// The test of devices and connection: what works, what does not, and what to do about it.

import { levelMeter, closeMedia } from './devices.js';
import { Link } from './link.js';
import { endingText } from './stage.js';
import { learn, t } from './strings.js';
import { any, button, errorText, say, setText } from './view.js';

/** @typedef {import('./carillon.js').Carillon} Carillon */
/** @typedef {'microphone' | 'camera' | 'socket' | 'stun' | 'turn' | 'echo'} Check */
/** @typedef {'waiting' | 'running' | 'good' | 'fair' | 'bad'} Standing */
/** @typedef {{ standing: Standing, note: string }} Result */
/** What the server offers to find a path with. @typedef {{ servers: RTCIceServer[], relayOnly: boolean }} Relays */

const CHECKS = /** @type {Check[]} */ (['microphone', 'camera', 'socket', 'stun', 'turn', 'echo']);
await learn({ de: () => import('./strings/test-de.js'), en: () => import('./strings/test-en.js'), fr: () => import('./strings/test-fr.js') });
await new Promise((done) => {
  const sheet = document.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.href = new URL('test.css', import.meta.url).href;
  sheet.onload = sheet.onerror = done;
  document.head.append(sheet);
});

const LISTEN_TIME = 3000;
const PICTURE_TIME = 4000;
const SERVER_TIME = 10_000;
const PATH_TIME = 10_000;
const CALL_TIME = 20_000;
const AUDIBLE = 0.08;

let running = false;

/** @param {Carillon} carillon */
export function prepareTest(carillon) {
  if (running) return;
  any('checks').replaceChildren(...CHECKS.map(row));
  for (const check of CHECKS) show(check, { standing: 'waiting', note: '' });
  say('test-result');
  setText('test-intro', t('test.intro'));
  setText('test-start', t('test.start'));
  button('test-start').onclick = () => void run(carillon);
}

/** @param {Check} check */
function row(check) {
  const item = document.createElement('li');
  item.id = `test-${check}`;
  item.append(...['strong', 'span', 'p'].map((tag) => document.createElement(tag)));
  return item;
}

/**
 * @param {Check} check
 * @param {Result} result
 */
function show(check, { standing, note }) {
  const item = any(`test-${check}`);
  item.dataset.standing = standing;
  const words = [t(`test.${check}`), t(`test.state.${standing}`), note];
  [...item.children].forEach((part, index) => { part.textContent = words[index] ?? ''; });
}

/** @param {Carillon} carillon */
async function run(carillon) {
  running = true;
  button('test-start').disabled = true;
  for (const check of CHECKS) show(check, { standing: 'waiting', note: '' });
  say('test-result', t('test.running'));
  /** @type {Standing[]} */
  const standings = [];
  /** @type {<T>(check: Check, work: () => Promise<[Result, T]>) => Promise<T | undefined>} */
  const perform = async (check, work) => {
    show(check, { standing: 'running', note: '' });
    const [result, value] = await work().catch((error) => /** @type {[Result, undefined]} */ ([{ standing: 'bad', note: errorText(error) }, undefined]));
    standings.push(result.standing);
    show(check, result);
    return value;
  };
  const stream = await perform('microphone', () => testMicrophone(carillon));
  await perform('camera', () => testCamera(carillon));
  const relays = await perform('socket', testSocket);
  await perform('stun', () => testStun(relays));
  await perform('turn', () => testTurn(relays));
  await perform('echo', () => testEcho(carillon, stream));
  closeMedia(stream);
  say('test-result', t(standings.includes('bad') ? 'test.failed' : standings.includes('fair') ? 'test.doubts' : 'test.passed'));
  setText('test-start', t('test.again'));
  button('test-start').disabled = false;
  running = false;
}

/**
 * @param {Standing} standing
 * @param {string} note
 * @returns {Result}
 */
const result = (standing, note) => ({ standing, note });

/** @param {Carillon} carillon @returns {Promise<[Result, MediaStream]>} */
async function testMicrophone(carillon) {
  const stream = await carillon.devices.open();
  const meter = levelMeter(stream);
  const heard = await until(LISTEN_TIME, () => meter.level() > AUDIBLE);
  meter.close();
  return [heard ? result('good', t('test.microphone.good')) : result('fair', t('test.microphone.silent')), stream];
}

/** @param {Carillon} carillon @returns {Promise<[Result, undefined]>} */
async function testCamera(carillon) {
  if (!carillon.devices.cameras.length) return [result('fair', t('test.camera.none')), undefined];
  const stream = await carillon.devices.open({ audio: false, video: true }).catch((error) => {
    throw error.code === 'denied' ? { code: 'no-camera' } : error;
  });
  const picture = document.createElement('video');
  picture.muted = true;
  picture.srcObject = stream;
  await picture.play().catch(() => {});
  const seen = await until(PICTURE_TIME, () => picture.videoWidth > 0 && picture.readyState >= 2);
  const { videoWidth: width, videoHeight: height } = picture;
  picture.srcObject = null;
  closeMedia(stream);
  return [seen ? result('good', t('test.camera.good', { width, height })) : result('bad', t('test.camera.black')), undefined];
}

/** A socket of its own, and a room where nobody else is: whoever is in a room gets the servers that help to find a path. @returns {Promise<[Result, Relays]>} */
async function testSocket() {
  const link = new Link(new URL('ws', import.meta.url).href.replace(/^http/, 'ws'));
  try {
    await new Promise((/** @type {(value?: void) => void} */ resolve, reject) => {
      const timer = setTimeout(() => reject({ code: 'link-lost' }), SERVER_TIME);
      link.on('hello', () => {
        clearTimeout(timer);
        resolve();
      });
      link.on('refused', reject);
      link.start();
    });
    const began = performance.now();
    await link.request({ event: 'ping' });
    const rtt = Math.max(1, Math.round(performance.now() - began));
    const room = await link.request({ event: 'join_room', room_id: `test-${crypto.randomUUID()}` });
    link.send({ event: 'leave_room' });
    return [result('good', t('test.socket.good', { rtt })), { servers: room.ice_servers ?? [], relayOnly: room.relay_only === true }];
  } finally {
    link.stop();
  }
}

/**
 * The servers of one kind.
 * @param {Relays | undefined} relays
 * @param {RegExp} scheme
 */
function serversOf(relays, scheme) {
  return (relays?.servers ?? []).map((server) => ({ ...server, urls: [server.urls].flat().filter((url) => scheme.test(url)) })).filter(({ urls }) => urls.length);
}

/** Any TURN server tells the public address, too. @param {Relays | undefined} relays @returns {Promise<[Result, undefined]>} */
async function testStun(relays) {
  const servers = serversOf(relays, /^(stuns?|turns?):/);
  if (!servers.length || relays?.relayOnly) return [result('fair', t('test.stun.none')), undefined];
  const peer = new RTCPeerConnection({ iceServers: servers });
  let found = false;
  // One that is not behind a translator has its public address already, which browsers leave out a second time.
  peer.onicecandidate = ({ candidate }) => { found ||= / typ (srflx|relay) /.test(`${candidate?.candidate} `); };
  peer.createDataChannel('test');
  await peer.setLocalDescription(await peer.createOffer());
  await until(PATH_TIME, () => found || peer.iceGatheringState === 'complete');
  peer.close();
  return [found ? result('good', t('test.stun.good')) : result('fair', t('test.stun.bad')), undefined];
}

/** Two ends in this page that meet through the relay only. @param {Relays | undefined} relays @returns {Promise<[Result, undefined]>} */
async function testTurn(relays) {
  const iceServers = serversOf(relays, /^turns?:/);
  if (!iceServers.length) return [result('fair', t('test.turn.none')), undefined];
  const [near, far] = [0, 1].map(() => new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' }));
  if (!near || !far) throw new Error('no connections');
  near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined).catch(() => {});
  far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined).catch(() => {});
  const channel = near.createDataChannel('test');
  await near.setLocalDescription(await near.createOffer());
  await far.setRemoteDescription(/** @type {RTCSessionDescription} */ (near.localDescription));
  await far.setLocalDescription(await far.createAnswer());
  await near.setRemoteDescription(/** @type {RTCSessionDescription} */ (far.localDescription));
  const open = await until(PATH_TIME, () => channel.readyState === 'open');
  near.close();
  far.close();
  return [open ? result('good', t('test.turn.good')) : result('bad', t('test.turn.bad')), undefined];
}

/**
 * @param {Carillon} carillon
 * @param {MediaStream | undefined} stream
 * @returns {Promise<[Result, undefined]>}
 */
async function testEcho(carillon, stream) {
  const { account } = carillon;
  if (!account) return [result('fair', t('test.echo.name')), undefined];
  if (!stream) return [result('fair', t('test.echo.microphone')), undefined];
  if (!account.echo) return [result('fair', t('test.echo.none')), undefined];
  const call = carillon.dial(account.echo, stream.clone());
  const came = await until(CALL_TIME, () => call.state === 'ended' || call.connectedAt > 0);
  if (!came || call.ending) {
    call.hangUp();
    return [result('bad', call.ending ? endingText(call.ending) : t('end.no-answer')), undefined];
  }
  // Chromium gives the sound of a connection to nobody before some element plays it.
  const player = new Audio();
  player.muted = true;
  player.srcObject = call.remoteStream ?? null;
  void player.play().catch(() => {});
  const meter = call.remoteStream && levelMeter(call.remoteStream);
  const heard = await until(LISTEN_TIME, () => (meter?.level() ?? 0) > AUDIBLE);
  const route = (await call.statistics())?.route;
  meter?.close();
  player.srcObject = null;
  call.hangUp();
  return [heard && route ? result('good', t('test.echo.good', { route: t(`stats.${route}`) })) : result('fair', t('test.echo.silent')), undefined];
}

/**
 * Whether that comes about in time.
 * @param {number} time in milliseconds
 * @param {() => boolean} condition
 */
async function until(time, condition) {
  for (const limit = performance.now() + time; performance.now() < limit;) {
    if (condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return condition();
}
