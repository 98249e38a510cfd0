// A page attached to a server of plain objects, in the states from which tests begin.  Importing this installs the fakes around each test.

import { afterEach, beforeEach } from 'node:test';

import { Carillon, memoryStore } from './carillon.js';
import { devicesOf, FakeClock, FakePeerConnection, FakeSocket, FakeStream, made } from './fakes.mjs';

/** @type {Carillon[]} */
export let opened = [];
/** @type {FakeClock} */
export let clock;

export const HELLO = { event: 'hello', nonce: 'n', domain: 'call.example.org', protocol: 1, ping_interval: 30 };

beforeEach(() => {
  made.sockets = [];
  made.connections = [];
  made.sounds = [];
  opened = [];
  Object.assign(globalThis, { WebSocket: FakeSocket, RTCPeerConnection: FakePeerConnection, MediaStream: FakeStream, fetch: async () => { throw new TypeError('no network'); } });
  clock = new FakeClock();
  clock.install();
});

afterEach(() => {
  for (const page of opened) page.close();
  clock.restore();
});

export const settle = () => new Promise((resolve) => setImmediate(resolve));
export const last = (list) => list[list.length - 1];

/** Answers the attach of the newest socket. */
export async function greet(fields = {}) {
  const socket = last(made.sockets);
  socket.say(HELLO);
  const frame = await socket.take('attach');
  socket.say({
    event: 'attached', id: frame.id, address: 'anna@call.example.org/1', bare: 'anna@call.example.org', name: 'anna', resume: 'token', resumed: false, grace: 20, may_call: true, link: true, ...fields,
  });
  await settle();
  return { socket, frame };
}

export async function page(store = memoryStore()) {
  const carillon = new Carillon({ url: 'wss://call.example.org/ws', store, origin: 'https://call.example.org' });
  opened.push(carillon);
  const attached = carillon.attach('Anna');
  const { socket, frame } = await greet();
  await attached;
  return { carillon, socket, frame };
}

export async function dialled(kinds = ['audio']) {
  const { carillon, socket } = await page();
  const call = carillon.dial('alice@example.org', new FakeStream(kinds));
  const dial = await socket.take('dial');
  socket.say({ event: 'admitted', id: dial.id, call: 'c1', to: 'alice@example.org', ice_servers: [{ urls: ['turn:x'] }], relay_only: false, expires: 600 });
  const offer = await socket.take('offer');
  await settle();
  return { carillon, socket, call, offer, pc: last(made.connections) };
}

export async function rung(media = ['audio', 'video']) {
  const { carillon, socket } = await page();
  const rang = new Promise((resolve) => carillon.on('incoming', resolve));
  socket.say({ event: 'incoming', call: 'c2', from: 'bob@example.org', media });
  return { carillon, socket, call: await rang };
}

/** A call that is connected, with what it warns of. */
export async function talking(kinds = ['audio']) {
  const devices = devicesOf(['audio', 'video']);
  const all = await dialled(kinds);
  const warned = [];
  all.call.on('warning', ({ code }) => warned.push(code));
  all.socket.say({ event: 'answer', call: 'c1', sdp: { type: 'answer', sdp: 'a=ice-ufrag:one\r\n' } });
  await settle();
  all.pc.become('connected');
  const offers = () => all.socket.sent.filter(({ event }) => event === 'offer');
  const answer = async (sdp = '') => {
    await settle();
    all.socket.say({ event: 'answer', call: 'c1', sdp: { type: 'answer', sdp } });
    await settle();
  };
  return { ...all, devices, warned, offers, answer };
}
