// The library against a server and a peer connection made of plain objects.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mock, test } from 'node:test';

import { Carillon, memoryStore } from './carillon.js';
import { FakeStream, made } from './fakes.mjs';
import { base64url, profileOf, signingInput } from './identity.js';
import { backoff } from './link.js';
import { clock, dialled, greet, HELLO, opened, page, rung, settle } from './setup.mjs';

test('base64url has no padding and no + or /', () => {
  assert.equal(base64url(new Uint8Array([0xfb, 0xff, 0xfe, 0x01])), '-__-AQ');
  assert.equal(base64url(new Uint8Array()), '');
});

test('a name is one profile however it is written', () => {
  assert.equal(profileOf('  ÄNNA '), profileOf('a\u0308nna'));
  assert.notEqual(profileOf('anna'), profileOf('anne'));
});

test('what is signed ends with the name, after domain, origin and nonce', () => {
  const bytes = signingInput({ domain: 'd', origin: 'https://o', nonce: 'n', name: 'Änna' });
  assert.equal(new TextDecoder().decode(bytes), 'carillon attach 1\nd\nhttps://o\nn\nÄnna');
});

test('what is signed is what the test vector of the protocol signs', async () => {
  const text = readFileSync(new URL('../component/gateway/PROTOCOL.md', import.meta.url), 'utf8');
  const field = (name) => new RegExp(`^    ${name} +(\\S+)$`, 'm').exec(text)[1];
  const input = signingInput({ domain: field('domain'), origin: field('origin'), nonce: field('nonce'), name: field('name') });
  assert.equal(Buffer.from(input).toString('hex'), field('input'));
  const key = await crypto.subtle.importKey('raw', Buffer.from(field('key'), 'base64url'), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  assert.ok(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(field('signature'), 'base64url'), input));
});

test('the wait grows to half a minute and half of it is random', () => {
  assert.deepEqual([0, 1, 2].map((attempt) => backoff(attempt, 0)), [250, 500, 1000]);
  assert.equal(backoff(50, 0), 15_000);
  assert.ok(backoff(50, 0.999999) <= 30_000);
});

test('attach proves the key with a signature that verifies', async () => {
  const store = memoryStore();
  await store.putContact('anna', { address: 'bob@example.org', state: 'approved', ticket: 'mac' });
  const { carillon, frame } = await page(store);
  const bytes = (text) => Buffer.from(text, 'base64url');
  const key = await crypto.subtle.importKey('raw', bytes(frame.key), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  const input = signingInput({ domain: 'call.example.org', origin: 'https://call.example.org', nonce: 'n', name: 'Anna' });
  assert.equal(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, bytes(frame.signature), input), true);
  assert.deepEqual(frame.contacts, [{ address: 'bob@example.org', ticket: 'mac' }]);
  assert.equal(frame.resume, undefined);
  assert.equal(carillon.account?.bare, 'anna@call.example.org');
  const { privateKey } = await store.keys('anna');
  await assert.rejects(crypto.subtle.exportKey('pkcs8', privateKey));
});

test('a refused name rejects and ends the dialling', async () => {
  const carillon = new Carillon({ url: 'wss://x/ws', store: memoryStore() });
  opened.push(carillon);
  const attached = assert.rejects(carillon.attach('admin'), { code: 'reserved_name' });
  made.sockets[0].say(HELLO);
  const { id } = await made.sockets[0].take('attach');
  made.sockets[0].say({ event: 'error', id, code: 'reserved_name', message: 'reserved name', description: '' });
  await attached;
  assert.equal(carillon.state, 'offline');
  clock.tick(60_000);
  assert.equal(made.sockets.length, 1);
});

test('attach settles when no server can be reached, and goes on trying', async () => {
  const carillon = new Carillon({ url: 'wss://x/ws', store: memoryStore() });
  opened.push(carillon);
  const attached = assert.rejects(carillon.attach('Anna'), { code: 'link-lost' });
  made.sockets[0].onclose({ code: 1006 });
  assert.equal(carillon.state, 'away');
  clock.tick(25_000);
  await attached;
  assert.ok(made.sockets.length > 1);
});

test('a call out: offer first, candidates behind it, answer, connected, hang-up', async () => {
  const { socket, call, offer, pc } = await dialled(['audio', 'video']);
  assert.deepEqual(offer.sdp, { type: 'offer', sdp: 'our offer\r\na=mid:0\r\na=mid:1\r\n' });
  assert.equal(offer.call, 'c1');
  assert.deepEqual(pc.did, ['sendrecv audio', 'sendrecv video']);
  assert.equal(pc.configuration.bundlePolicy, 'max-compat');
  assert.equal(pc.configuration.iceTransportPolicy, 'all');
  const candidate = await socket.take('ice_candidate');
  assert.ok(candidate.id > offer.id, 'the candidate overtook the offer');
  assert.equal(candidate.sdpmid, '0');

  socket.say({ event: 'ringing', call: 'c1' });
  assert.equal(call.state, 'ringing');
  socket.say({ event: 'proceeding', call: 'c1', from: 'alice@example.org/phone' });
  assert.equal(call.state, 'connecting');
  socket.say({ event: 'ice_candidate', call: 'c1', candidate: 'held', sdpmid: '0', sdpmlineindex: 0 });
  socket.say({ event: 'answer', call: 'c1', sdp: { type: 'answer', sdp: 'theirs' } });
  socket.say({ event: 'ice_candidate', call: 'c1', candidate: 'bad', sdpmid: '0', sdpmlineindex: 0 });
  socket.say({ event: 'ice_candidate', call: 'c1', candidate: '', sdpmid: '0', sdpmlineindex: 0 });
  socket.say({ event: 'news_of_a_later_version', call: 'c1' });
  await settle();
  assert.deepEqual(pc.did.slice(2), ['remote answer', 'candidate held', 'candidate bad', 'candidate ']);

  pc.become('connected');
  assert.equal(call.state, 'connected');
  assert.equal((await socket.take('media')).state, 'connected');
  socket.say({ event: 'ice_servers', call: 'c1', ice_servers: [{ urls: ['turn:y'] }], expires: 600 });
  assert.deepEqual(pc.configuration.iceServers, [{ urls: ['turn:y'] }]);
  assert.equal(pc.configuration.bundlePolicy, 'max-compat');

  call.hangUp();
  assert.equal((await socket.take('hang_up')).call, 'c1');
  assert.deepEqual(await call.finished, { reason: 'hung-up', text: 'You ended the call.' });
  assert.equal(pc.closed, true);
});

test('without a microphone the offer still asks to hear the other side', async () => {
  const { pc } = await dialled(['video']);
  assert.deepEqual(pc.did, ['recvonly audio', 'sendrecv video']);
});

test('a call that is not admitted ends with the code of the server', async () => {
  const { carillon, socket } = await page();
  const call = carillon.dial('alice@example.org', new FakeStream(['audio']));
  const { id } = await socket.take('dial');
  socket.say({ event: 'error', id, code: 'not_allowed', message: 'not allowed', description: 'list it' });
  assert.deepEqual(await call.finished, { reason: 'refused', text: 'list it', code: 'not_allowed' });
  assert.equal(made.connections.length, 0);
  assert.deepEqual(carillon.calls, []);
});

test('cancelled before it was admitted: the server is told as soon as the call has an id', async () => {
  const { carillon, socket } = await page();
  const call = carillon.dial('alice@example.org', new FakeStream(['audio']));
  const { id } = await socket.take('dial');
  call.hangUp();
  assert.equal((await call.finished).reason, 'cancelled');
  socket.say({ event: 'admitted', id, call: 'c9', ice_servers: [], relay_only: false, expires: 600 });
  assert.equal((await socket.take('hang_up')).call, 'c9');
  assert.equal(made.connections.length, 0);
});

test('hang-up before and after the answer are two things', async () => {
  const early = await dialled();
  early.socket.say({ event: 'proceeding', call: 'c1', from: 'alice@example.org/phone' });
  early.call.hangUp();
  assert.equal((await early.call.finished).reason, 'cancelled');
  made.connections = [];
  const late = await dialled();
  late.socket.say({ event: 'answer', call: 'c1', sdp: { type: 'answer', sdp: 'theirs' } });
  await settle();
  assert.equal(late.call.state, 'connecting');
  late.call.hangUp();
  assert.deepEqual(await late.call.finished, { reason: 'hung-up', text: 'You ended the call.' });
});

test('a microphone or camera that is gone in a call is known, and nothing of it after the call', async () => {
  const { call } = await dialled(['audio', 'video']);
  const [sound, picture] = call.localStream.getTracks();
  let changes = 0;
  call.on('change', () => { changes++; });
  assert.deepEqual(call.lostMedia, []);
  picture.end();
  assert.deepEqual([call.lostMedia, changes], [['video'], 1]);
  sound.end();
  assert.deepEqual([call.lostMedia, changes], [['audio', 'video'], 2]);
  call.hangUp();
  const after = changes;
  sound.end();
  assert.equal(changes, after);
});

test('an answer that is none ends the call and tells the server', async () => {
  const { socket, call } = await dialled();
  mock.method(console, 'error', () => {});
  socket.say({ event: 'answer', call: 'c1', sdp: { type: 'answer', sdp: 'bad' } });
  assert.equal((await call.finished).reason, 'failed');
  await socket.take('hang_up');
  mock.restoreAll();
});

test('a video call answered with sound alone keeps the picture of the caller', async () => {
  const { socket, call } = await rung();
  assert.equal(call.state, 'incoming');
  const accepted = call.accept(new FakeStream(['audio']));
  const { id } = await socket.take('accept');
  socket.say({ event: 'admitted', id, call: 'c2', ice_servers: [], relay_only: true, expires: 600 });
  socket.say({ event: 'ice_candidate', call: 'c2', candidate: 'held', sdpmid: 'audio', sdpmlineindex: 0 });
  socket.say({ event: 'offer', call: 'c2', sdp: { type: 'offer', sdp: 'audio video' } });
  await accepted;
  const answer = await socket.take('answer');
  await settle();
  const pc = made.connections[0];
  assert.equal(pc.configuration.iceTransportPolicy, 'relay');
  assert.deepEqual(answer.sdp, { type: 'answer', sdp: 'our answer' });
  assert.deepEqual(pc.did, ['remote offer', 'candidate held']);
  assert.deepEqual(pc.transceivers.map(({ direction, sender }) => [direction, sender.track]), [['sendrecv', call.localStream.getTracks()[0]], ['recvonly', null]]);

  const [, { receiver: { track: picture } }] = pc.transceivers;
  pc.ontrack({ track: picture, transceiver: pc.transceivers[1], streams: [] });
  assert.deepEqual(call.remoteStream?.getTracks(), pc.transceivers.map(({ receiver }) => receiver.track));
  assert.equal(call.hasRemoteVideo, true);
  picture.muted = true;
  assert.equal(call.hasRemoteVideo, false);
});

test('a camera is not added to a call that offers sound alone', async () => {
  const { socket, call } = await rung(['audio']);
  const accepted = call.accept(new FakeStream(['audio', 'video']));
  const { id } = await socket.take('accept');
  socket.say({ event: 'admitted', id, call: 'c2', ice_servers: [], relay_only: false, expires: 600 });
  socket.say({ event: 'offer', call: 'c2', sdp: { type: 'offer', sdp: 'audio' } });
  await accepted;
  await socket.take('answer');
  assert.deepEqual(made.connections[0].transceivers.map(({ sender }) => sender.track?.kind), ['audio']);
});

test('accept rejects when the call ends meanwhile, and cannot be repeated', async () => {
  const { socket, call } = await rung();
  const accepted = assert.rejects(call.accept(new FakeStream(['audio'])), { code: 'ended' });
  socket.say({ event: 'ended', call: 'c2', reason: 'answered-elsewhere', text: 'The call was taken in another window.' });
  await accepted;
  assert.equal((await call.finished).reason, 'answered-elsewhere');
  await assert.rejects(call.accept(new FakeStream(['audio'])), { code: 'bad-state' });
});

test('the same call rings once, and declining tells the server', async () => {
  const { carillon, socket, call } = await rung();
  socket.say({ event: 'incoming', call: 'c2', from: 'bob@example.org', name: 'Bob B.', media: ['audio'] });
  assert.equal(carillon.calls.length, 1);
  call.decline();
  assert.equal((await socket.take('decline')).call, 'c2');
  assert.equal((await call.finished).reason, 'declined');
});

test('two who dial each other have one call, and nothing rings', async () => {
  const { carillon, socket } = await page();
  const rang = [];
  carillon.on('incoming', (call) => rang.push(call.id));
  const incoming = (id) => socket.say({ event: 'incoming', call: id, from: 'alice@example.org', media: ['audio'] });
  const call = carillon.dial('Alice@example.org/phone', new FakeStream(['audio']));
  const dial = await socket.take('dial');
  incoming('c1');
  incoming('c2');
  socket.say({ event: 'ended', call: 'c2', reason: 'peer-cancelled', text: '' });
  incoming('c3');
  socket.say({ event: 'admitted', id: dial.id, call: 'c1', to: 'alice@example.org', called: true, ice_servers: [], relay_only: false, expires: 0 });
  await settle();
  assert.deepEqual(rang, ['c3'], 'c1 is the one that was dialled, c2 is over, c3 another one');
  assert.equal(call.id, 'c1');
  socket.say({ event: 'offer', call: 'c1', sdp: { type: 'offer', sdp: 'theirs' } });
  // The offer is theirs alone.
  const { call: answered } = await socket.take('answer');
  assert.equal(answered, 'c1');
  assert.ok(!socket.sent.some(({ event, call: about }) => event === 'offer' && about === 'c1'));
  await settle();
  assert.equal(call.state, 'connecting');
  call.hangUp();
  assert.equal(call.ending.reason, 'hung-up');
  // One that is refused leaves theirs to ring.
  const refused = carillon.dial('alice@example.org', new FakeStream(['audio']));
  const { id } = await socket.take('dial');
  incoming('c4');
  socket.say({ event: 'error', id, code: 'not_now', message: 'no', description: 'no' });
  await refused.finished;
  await settle();
  assert.deepEqual(rang, ['c3', 'c4']);
  // What rings here already is what the server may give to a dial.
  const ringing = carillon.calls.find(({ id: each }) => each === 'c4');
  const taken = carillon.dial('alice@example.org', new FakeStream(['audio']));
  socket.say({ event: 'admitted', id: (await socket.take('dial')).id, call: 'c4', to: 'alice@example.org', called: true, ice_servers: [], relay_only: false, expires: 0 });
  assert.equal((await ringing.finished).reason, 'answered-elsewhere');
  socket.say({ event: 'ended', call: 'c4', reason: 'peer-hung-up', text: '' });
  assert.equal((await taken.finished).reason, 'peer-hung-up');
});

test('muting touches sound only, camera off the picture only', async () => {
  const { call } = await dialled(['audio', 'video']);
  const [sound, picture] = call.localStream.getTracks();
  call.mute(true);
  assert.deepEqual([sound.enabled, picture.enabled], [false, true]);
  call.mute(false);
  call.turnCameraOff(true);
  assert.deepEqual([sound.enabled, picture.enabled], [true, false]);
});

test('a request settles: with the lost link, or after a time without an answer', async () => {
  const { carillon, socket } = await page();
  const told = assert.rejects(carillon.tell('bob@example.org'), { code: 'timeout' });
  await socket.take('tell');
  clock.tick(15_000);
  await told;
  const again = assert.rejects(carillon.tell('bob@example.org'), { code: 'link-lost' });
  socket.onclose({ code: 1006 });
  await again;
  await assert.rejects(carillon.tell('bob@example.org'), { code: 'link-lost' });
});

test('contacts: asked, approved with a ticket that is kept, forgotten', async () => {
  const store = memoryStore();
  const { carillon, socket } = await page(store);
  socket.say({ event: 'contact', address: 'bob@example.org', state: 'asks' });
  assert.deepEqual(carillon.contacts, [{ address: 'bob@example.org', state: 'asks' }]);
  assert.deepEqual(await store.contacts('anna'), []);
  const approved = carillon.approve('bob@example.org');
  const { id } = await socket.take('approve');
  socket.say({ event: 'contact', id, address: 'bob@example.org', state: 'approved', ticket: 'mac' });
  await approved;
  assert.deepEqual(await store.contacts('anna'), [{ address: 'bob@example.org', state: 'approved', ticket: 'mac' }]);
  const forgotten = carillon.forget('bob@example.org');
  const frame = await socket.take('forget');
  socket.say({ event: 'contact', id: frame.id, address: 'bob@example.org', state: 'removed' });
  await forgotten;
  assert.deepEqual(carillon.contacts, []);
  assert.deepEqual(await store.contacts('anna'), []);
});

test('no state of a call lasts for ever, even when the server is silent', async () => {
  const { carillon, socket, call } = await rung();
  clock.tick(100_000);
  assert.equal((await call.finished).reason, 'missed');
  // A server that does not even answer pings was left meanwhile; it hears of the end as soon as it is back.
  assert.equal(socket.closed, 4000);
  carillon.retry();
  const { socket: back } = await greet({ resumed: true });
  assert.equal((await back.take('decline')).call, 'c2');
});

test('a call that nobody takes is missed, and a server that is there hears of it at once', async () => {
  const { socket, call } = await rung();
  for (let seconds = 0; seconds < 120; seconds += 30) {
    clock.tick(30_000);
    socket.say({ event: 'pong', id: (await socket.take('ping')).id });
    await settle();
  }
  assert.equal((await call.finished).reason, 'missed');
  assert.equal((await socket.take('decline')).call, 'c2');
  assert.equal(made.sockets.length, 1);
});

test('close says goodbye and ends everything', async () => {
  const { carillon, socket, call } = await dialled();
  carillon.close();
  assert.equal(socket.closed, 1000);
  assert.equal((await call.finished).reason, 'cancelled');
  assert.equal(socket.sent.some(({ event }) => event === 'hang_up'), true);
  assert.equal(carillon.state, 'offline');
});
