// Calls that look for another network path.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { devicesOf, FakeStream, made } from './fakes.mjs';
import { clock, rung, settle, talking } from './setup.mjs';

test('another path is looked for when the present one breaks, not too often, and by one side first', async () => {
  const { call, pc, offers, answer } = await talking();
  const restarts = () => pc.did.filter((each) => each === 'restart').length;
  pc.become('disconnected');
  clock.tick(2_900);
  assert.equal(restarts(), 0, 'it may come back by itself');
  clock.tick(100);
  await settle();
  assert.deepEqual([restarts(), offers().length], [1, 1]);
  await answer();
  pc.become('failed');
  clock.tick(0);
  assert.equal(restarts(), 1, 'the next attempt follows at once');
  clock.tick(8_000);
  assert.equal(restarts(), 2);
  pc.become('connected');
  clock.tick(20_000);
  assert.equal(restarts(), 2);
  pc.become('disconnected');
  call.networkChanged();
  assert.equal(restarts(), 3, 'a broken path is waited for though the network is another one');
  await answer();
  pc.become('connected');
  clock.tick(10_000);
  pc.become('disconnected');
  clock.tick(0);
  assert.equal(restarts(), 4, 'the same a moment later');
  clock.tick(20_000);
  assert.equal(call.state, 'connected');
});

test('who was called gives the other side a moment to begin', async () => {
  devicesOf(['audio']);
  const { socket, call } = await rung(['audio']);
  const accepted = call.accept(new FakeStream(['audio']));
  socket.say({ event: 'admitted', id: (await socket.take('accept')).id, call: 'c2', ice_servers: [], relay_only: false, expires: 0 });
  await accepted;
  socket.say({ event: 'offer', call: 'c2', sdp: { type: 'offer', sdp: 'audio' } });
  await settle();
  const [pc] = made.connections;
  pc.become('connected');
  pc.become('failed');
  clock.tick(1_900);
  assert.ok(!pc.did.includes('restart'));
  clock.tick(100);
  assert.ok(pc.did.includes('restart'));
});

/** A call that is connected, in which the other side can restart ICE, and what the browser measures is told by `measure`. */
async function restartable() {
  const all = await talking();
  const { pc, socket } = all;
  const pair = { type: 'candidate-pair', id: 'p', state: 'succeeded', localCandidateId: 'l', remoteCandidateId: 'r' };
  const ends = [{ type: 'local-candidate', id: 'l', candidateType: 'host' }, { type: 'remote-candidate', id: 'r', candidateType: 'host' }];
  let stats = [];
  let looked = 0;
  pc.getStats = async () => {
    looked++;
    return new Map([pair, ...ends, ...stats].map((each) => [each.id, each]));
  };
  let count = 0;
  return {
    ...all,
    none: () => { stats = [{ type: 'transport', id: 't' }]; },
    firefox: () => { stats = [{ type: 'transport', id: 't' }, { ...pair, id: 'q', selected: true, nominated: true }]; },
    chromium: () => { stats = [{ type: 'transport', id: 't', selectedCandidatePairId: 'p' }]; },
    looks: () => looked,
    restarts: () => pc.did.filter((each) => each === 'restart').length,
    offered: async (ufrag = `new${count++}`) => {
      socket.say({ event: 'offer', call: 'c1', sdp: { type: 'offer', sdp: `m=audio 9 x\r\na=ice-ufrag:${ufrag}\r\n` } });
      await settle();
    },
    pass: async (milliseconds) => {
      for (let left = milliseconds; left > 0; left -= 500) {
        clock.tick(500);
        for (const { event, id } of socket.sent.splice(0)) if (event === 'ping') socket.say({ event: 'pong', id });
        await settle();
      }
    },
  };
}

test('a restart of theirs after which no pair is in use is followed by one of ours, once', async () => {
  const { pc, offers, answer, none, offered, pass, looks, restarts } = await restartable();
  none();
  await offered();
  await pass(4_500);
  assert.equal(restarts(), 0, 'one look is not enough');
  await pass(500);
  assert.deepEqual([restarts(), offers().length], [1, 1]);
  await answer('a=ice-ufrag:answered\r\n');
  const before = looks();
  await pass(60_000);
  assert.deepEqual([restarts(), looks(), pc.connectionState], [1, before, 'connected']);
  await offered();
  await pass(10_000);
  assert.equal(restarts(), 2, 'a later one of theirs counts anew');
});

test('where a pair is in use after a restart of theirs, at once or a moment later, nothing is done', async () => {
  for (const healthy of ['firefox', 'chromium']) {
    const { offered, pass, looks, restarts, none, [healthy]: measure } = await restartable();
    measure();
    await offered();
    await pass(60_000);
    assert.deepEqual([restarts(), looks()], [0, 1]);
    none();
    await offered();
    await pass(3_000);
    measure();
    await pass(60_000);
    assert.deepEqual([restarts(), looks()], [0, 3]);
  }
});

test('only a restart is looked after, and not one that may answer ours', async () => {
  const { call, answer, none, offered, pass, looks, restarts } = await restartable();
  none();
  await offered('one');
  await pass(20_000);
  assert.equal(looks(), 0, 'their credentials are the same');
  call.restart();
  await answer('a=ice-ufrag:two\r\n');
  await pass(6_000);
  await offered();
  await pass(60_000);
  assert.deepEqual([looks(), restarts()], [0, 1]);
});

test('a restart of theirs that crosses ours took its place and is looked after', async () => {
  const { call, answer, none, offered, pass, restarts } = await restartable();
  none();
  call.restart();
  await settle();
  await offered();
  await answer('a=ice-ufrag:two\r\n');
  await pass(5_000);
  assert.equal(restarts(), 2);
});

test('a path that breaks after a restart of theirs is left to itself as always; what comes back is looked after', async () => {
  const { pc, none, offered, pass, looks, restarts } = await restartable();
  none();
  await offered();
  await pass(1_000);
  pc.become('connecting');
  await pass(20_000);
  assert.deepEqual([looks(), restarts()], [0, 0]);
  pc.become('connected');
  await pass(1_000);
  pc.become('disconnected');
  await pass(2_500);
  assert.deepEqual([looks(), restarts()], [0, 0]);
  pc.become('connected');
  await pass(5_000);
  assert.deepEqual([looks(), restarts()], [2, 1]);
});

test('nobody looks after the end, nor restarts where the other side knows none', async () => {
  const { call, none, offered, pass, looks } = await restartable();
  none();
  await offered();
  await pass(3_000);
  call.hangUp();
  await pass(20_000);
  assert.equal(looks(), 1);
  const other = await restartable();
  other.none();
  other.socket.say({ event: 'warning', call: 'c1', code: 'no-restart', text: '' });
  await other.offered();
  await other.pass(20_000);
  assert.equal(other.restarts(), 0);
});

test('where the other side knows no restart there is none, and the call ends', async () => {
  const { socket, call, pc } = await talking();
  socket.say({ event: 'warning', call: 'c1', code: 'no-restart', text: '' });
  pc.become('failed');
  clock.tick(20_000);
  assert.ok(!pc.did.includes('restart'));
  assert.equal((await call.finished).reason, 'no-connection');
});

test('a machine that slept: the server is asked at once, and a broken path is not waited for', async () => {
  const { socket, pc } = await talking();
  pc.become('disconnected');
  clock.sleep(60_000);
  assert.ok(pc.did.includes('restart'));
  assert.equal((await socket.take('ping')).event, 'ping');
});
