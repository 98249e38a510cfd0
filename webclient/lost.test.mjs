// What becomes of calls and frames when the socket is lost under them.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeStream, made } from './fakes.mjs';
import { clock, dialled, greet, page, rung, settle } from './setup.mjs';

test('a socket that breaks: same instance and token, unacknowledged frames again, media told, call goes on', async () => {
  const { carillon, socket, call, pc, offer } = await dialled();
  socket.say({ event: 'ok', id: offer.id });
  await settle();
  const before = await socket.take('ice_candidate');
  socket.onclose({ code: 1006 });
  assert.equal(carillon.state, 'away');
  pc.become('connected');
  clock.tick(1000);
  assert.equal(made.sockets.length, 2);
  const { socket: second, frame } = await greet({ resumed: true });
  assert.equal(frame.resume, 'token');
  assert.equal(typeof frame.instance, 'string');
  assert.equal((await second.take('ice_candidate')).candidate, before.candidate);
  assert.equal((await second.take('media')).state, 'connected');
  assert.equal(second.sent.some(({ event }) => event === 'offer'), false, 'the offer was acknowledged before');
  assert.equal(call.state, 'connected');
});

test('a call that ended while we were away ends here, the others go on', async () => {
  const { carillon, socket, call } = await dialled();
  socket.say({ event: 'incoming', call: 'c3', from: 'bob@example.org', media: ['audio'] });
  const other = carillon.calls[1];
  socket.onclose({ code: 1006 });
  clock.tick(1000);
  const { socket: second } = await greet({ resumed: true });
  for (const frame of second.sent) {
    if (frame.call === 'c3') second.say({ event: 'error', id: frame.id, code: 'unknown_call', message: '', description: '', call: 'c3' });
    else second.say({ event: 'ok', id: frame.id });
  }
  assert.equal((await other.finished).reason, 'page-lost');
  assert.equal(call.state, 'dialing');
});

test('a server that lost our calls ends them here', async () => {
  const { socket, call, pc } = await dialled();
  socket.onclose({ code: 1006 });
  clock.tick(1000);
  await greet({ resumed: false });
  assert.equal((await call.finished).reason, 'page-lost');
  assert.equal(pc.closed, true);
});

test('a hang-up while the server is away is told when it is back', async () => {
  const { socket, call } = await dialled();
  socket.onclose({ code: 1006 });
  call.hangUp();
  clock.tick(1000);
  const { socket: second } = await greet({ resumed: true });
  assert.equal((await second.take('hang_up')).call, 'c1');
  assert.equal(second.sent.some(({ event }) => event === 'offer'), false);
});

test('no pong: the silent socket is given up without saying goodbye', async () => {
  const { carillon, socket } = await page();
  clock.tick(30_000);
  await socket.take('ping');
  clock.tick(10_000);
  assert.equal(socket.closed, 4000);
  assert.equal(made.sockets.length, 2);
  assert.equal(carillon.state, 'connecting');
});

const ADMITTED = { event: 'admitted', call: 'c2', ice_servers: [], relay_only: false, expires: 600 };

/** The socket breaks and the next one is attached. */
async function broken(socket, fields = { resumed: true }) {
  socket.onclose({ code: 1006 });
  clock.tick(1000);
  return greet(fields);
}

test('candidates alone are dropped when much waits: hang-up and decline are told, and nothing else of their calls', async () => {
  const { carillon, socket, call, pc } = await dialled();
  socket.say({ event: 'incoming', call: 'c3', from: 'bob@example.org', media: ['audio'] });
  const other = carillon.calls[1];
  socket.onclose({ code: 1006 });
  for (let port = 1; port <= 300; port++) pc.onicecandidate({ candidate: { candidate: `candidate:${port}`, sdpMid: '0', sdpMLineIndex: 0 } });
  call.hangUp();
  other.decline();
  clock.tick(1000);
  const { socket: second } = await greet({ resumed: true });
  assert.deepEqual(second.sent.filter(({ event }) => event !== 'ping').map(({ event, call: of }) => [event, of]), [['hang_up', 'c1'], ['decline', 'c3']]);
});

test('offer, answer and media are told however many candidates wait, within one burst of the server', async () => {
  const { socket, pc } = await dialled();
  socket.onclose({ code: 1006 });
  for (let port = 1; port <= 300; port++) pc.onicecandidate({ candidate: { candidate: `candidate:${port}`, sdpMid: '0', sdpMLineIndex: 0 } });
  for (const state of ['connected', 'disconnected', 'connected', 'failed']) pc.become(state);
  clock.tick(1000);
  const { socket: second } = await greet({ resumed: true });
  assert.equal((await second.take('offer')).call, 'c1');
  const states = second.sent.filter(({ event }) => event === 'media').map(({ state }) => state);
  assert.deepEqual([...new Set(states)], ['failed'], 'only the last state is news');
  assert.ok(second.sent.length < 90, `${second.sent.length} frames at once`);
});

test('an accept that went down with its socket: admitted counts whichever id it has, and once', async () => {
  for (const late of ['the old id', 'no id', 'the new id']) {
    const { socket, call } = await rung();
    made.connections = [];
    const accepted = call.accept(new FakeStream(['audio']));
    const { id: old } = await socket.take('accept');
    const { socket: second } = await broken(socket);
    const { id } = await second.take('accept');
    const ids = { 'the old id': { id: old }, 'no id': {}, 'the new id': { id } };
    second.say({ ...ADMITTED, ...ids[late] });
    await accepted;
    second.say({ ...ADMITTED, id });
    second.say({ event: 'error', id, code: 'not_now', message: '', description: 'again?', call: 'c2' });
    second.say({ event: 'offer', call: 'c2', sdp: { type: 'offer', sdp: 'audio' } });
    assert.equal((await second.take('answer')).sdp.sdp, 'our answer', late);
    assert.equal(made.connections.length, 1, late);
    assert.equal(call.state, 'connecting', late);
  }
});

test('a dial that went down with its socket: the call that the server made of it is hung up', async () => {
  const { carillon, socket } = await page();
  const call = carillon.dial('alice@example.org', new FakeStream(['audio']));
  const { id } = await socket.take('dial');
  const { socket: second } = await broken(socket);
  assert.equal((await call.finished).reason, 'link-lost');
  second.say({ ...ADMITTED, id, call: 'c7' });
  assert.equal((await second.take('hang_up')).call, 'c7');
});

test('a numbered frame counts once, and counting begins anew with a new page at the server', async () => {
  const { carillon, socket, frame: first } = await page();
  assert.equal(first.seen, undefined);
  const rings = [];
  carillon.on('incoming', (call) => rings.push(call.id));
  socket.say({ event: 'incoming', seq: 1, call: 'c1', from: 'bob@example.org', media: ['audio'] });
  carillon.calls[0].decline();
  const { socket: second, frame } = await broken(socket);
  assert.equal(frame.seen, 1);
  second.say({ event: 'incoming', seq: 1, call: 'c1', from: 'bob@example.org', media: ['audio'] });
  second.say({ event: 'incoming', seq: 2, call: 'c2', from: 'bob@example.org', media: ['audio'] });
  assert.deepEqual(rings, ['c1', 'c2']);
  const { socket: third, frame: again } = await broken(second, { resumed: false });
  assert.equal(again.seen, 2);
  third.say({ event: 'incoming', seq: 1, call: 'c3', from: 'bob@example.org', media: ['audio'] });
  assert.deepEqual(rings, ['c1', 'c2', 'c3']);
});

test('a hang-up without an answer: the connection is tried, and the hang-up said again on the next', async () => {
  const { socket, call } = await dialled();
  call.hangUp();
  await socket.take('hang_up');
  clock.tick(15_000);
  await socket.take('ping');
  clock.tick(10_000);
  assert.equal(socket.closed, 4000);
  const { socket: second } = await greet({ resumed: true });
  assert.equal((await second.take('hang_up')).call, 'c1');
});

test('a hang-up that came too fast for the server is said again', async () => {
  const { socket, call } = await dialled();
  call.hangUp();
  const { id } = await socket.take('hang_up');
  socket.say({ event: 'error', id, code: 'rate_limited', message: '', description: '' });
  await settle();
  clock.tick(1000);
  assert.equal((await socket.take('hang_up')).call, 'c1');
});

test('back from sleep: an open connection has to prove itself at once, and is left if it does not', async () => {
  const { carillon, socket } = await page();
  carillon.retry();
  carillon.retry();
  assert.equal(socket.sent.filter(({ event }) => event === 'ping').length, 1);
  socket.say({ event: 'pong', id: (await socket.take('ping')).id });
  await settle();
  clock.tick(20_000);
  assert.equal(socket.closed, undefined);
  // The regular ping comes an interval after the last one.
  clock.tick(10_000);
  await socket.take('ping');
  clock.tick(5_000);
  carillon.retry();
  clock.tick(5_000);
  assert.equal(socket.closed, 4000, 'a second question does not prolong the first');
  assert.equal(carillon.state, 'connecting');
});
