// Rooms against a server and peer connections made of plain objects.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeStream, FakeTrack, made } from './fakes.mjs';
import { Room } from './room.js';
import { clock, HELLO, last, opened, settle } from './setup.mjs';

/** A room that was asked for, and its socket. */
function asked(entry = {}) {
  const room = new Room({ url: 'wss://call.example.org/ws' });
  opened.push({ close: () => room.leave() });
  const joining = room.join('choir', { name: ' Anna ', ...entry });
  joining.catch(() => {});
  return { room, joining };
}

/** The server takes whoever asked on the newest socket. */
async function admit(peers = [], fields = {}) {
  const socket = last(made.sockets);
  socket.say(HELLO);
  const join = await socket.take('join_room');
  socket.say({ event: 'joined_room', id: join.id, own_id: `us${made.sockets.length}`, peers, ice_servers: [{ urls: ['turn:x'] }], relay_only: false, expires: 600, ...fields });
  await settle();
  return { socket, join };
}

async function entered(peers, entry = { stream: new FakeStream(['audio', 'video']) }) {
  const { room, joining } = asked(entry);
  const { socket, join } = await admit(peers);
  await joining;
  return { room, socket, join };
}

const peer = (peer_id, user_agent, status = {}) => ({ peer_id, status: { user_agent, ...status } });
const events = (socket) => socket.sent.filter(({ event }) => event === 'send_to_peer').map(({ peer_id, data }) => `${data.event} to ${peer_id}`);

// palava-client 2.2.1, as its source has it; the same words are in the table of room.js.
const palava = (browser) => ({ user_agent: browser, offersToPresent: browser !== 'chrome', offersToNewcomer: (status) => status.user_agent === 'chrome' });

/** Whether ours offers, as newcomer and as the one present; taken from what it sends. */
async function ours() {
  const { socket, join } = await entered([peer('p', 'chrome'), peer('q', 'firefox')]);
  const offersToPresent = events(socket).some((event) => event.startsWith('offer'));
  const offersTo = new Set();
  for (const agent of ['chrome', 'firefox', 'safari', 'unknown', undefined]) {
    socket.say({ event: 'new_peer', ...peer(`new ${agent}`, agent) });
    await settle();
    if (events(socket).includes(`offer to new ${agent}`)) offersTo.add(agent);
  }
  return { user_agent: join.status.user_agent, offersToPresent, offersToNewcomer: ({ user_agent }) => offersTo.has(user_agent) };
}

test('each pair of clients has exactly one that offers', async () => {
  const clients = { ours: await ours(), 'palava in Chrome': palava('chrome'), 'palava in Firefox': palava('firefox'), 'palava in Safari': palava('safari') };
  for (const [present, there] of Object.entries(clients)) {
    for (const [newcomer, arriving] of Object.entries(clients)) {
      const offers = Number(there.offersToNewcomer({ user_agent: arriving.user_agent })) + Number(arriving.offersToPresent);
      if (present === 'ours' || newcomer === 'ours') assert.equal(offers, 1, `${newcomer} comes to ${present}`);
    }
  }
});

test('joining says who we are and what we send', async () => {
  const { room, join } = await entered([peer('p', 'chrome', { name: 'Bo' })], { stream: new FakeStream(['audio']), password: 'pw' });
  assert.deepEqual({ ...join, id: 0 }, {
    event: 'join_room', id: 0, room_id: 'choir', status: { name: 'Anna', user_agent: 'chrome', muted: false, camera: false }, password: 'pw', renew: true,
  });
  assert.equal(room.state, 'joined');
  assert.deepEqual(room.members.map(({ id, name, state }) => [id, name, state]), [['p', 'Bo', 'connecting']]);
  assert.deepEqual(made.connections[0].configuration, { iceServers: [{ urls: ['turn:x'] }], iceTransportPolicy: 'all' });
});

test('an offer has sound and picture both ways, and goes before its candidates', async () => {
  const { socket } = await entered([], {});
  socket.say({ event: 'new_peer', ...peer('p', 'chrome') });
  await settle();
  assert.deepEqual(made.connections[0].did, ['sendrecv audio', 'sendrecv video']);
  assert.deepEqual(events(socket), ['offer to p', 'ice_candidate to p']);
  assert.deepEqual(socket.sent.at(-1).data, { event: 'ice_candidate', candidate: 'candidate:early', sdpmid: '0', sdpmlineindex: 0 });
});

test('their candidates wait for their description', async () => {
  const { socket } = await entered([peer('p', 'firefox')]);
  const candidate = (text) => socket.say({ event: 'ice_candidate', sender_id: 'p', candidate: text, sdpmid: '0', sdpmlineindex: 0 });
  candidate('early');
  candidate('bad');
  candidate('');
  await settle();
  assert.deepEqual(made.connections[0].did, []);
  socket.say({ event: 'offer', sender_id: 'p', sdp: { type: 'offer', sdp: 'audio video' } });
  candidate('late');
  await settle();
  const [pc] = made.connections;
  assert.deepEqual(pc.did, ['remote offer', 'candidate early', 'candidate bad', 'candidate late']);
  assert.deepEqual(pc.transceivers.map(({ direction, sender }) => [direction, sender.track?.kind]), [['sendrecv', 'audio'], ['sendrecv', 'video']]);
  assert.deepEqual(events(socket), ['answer to p', 'ice_candidate to p']);
});

test('a device that is found later is sent without another offer', async () => {
  const { room, socket } = await entered([peer('p', 'firefox')], { stream: new FakeStream(['audio']) });
  socket.say({ event: 'offer', sender_id: 'p', sdp: { type: 'offer', sdp: 'audio video' } });
  await settle();
  room.stream.addTrack(new FakeTrack('video'));
  room.use(room.stream);
  await settle();
  assert.equal(made.connections[0].transceivers[1].sender.track, room.stream.getVideoTracks()[0]);
  assert.equal((await socket.take('update_status')).status.camera, true);
});

test('a status is told whole, and taken field by field', async () => {
  const { room, socket } = await entered([peer('p', 'chrome', { name: 'Bo', muted: true })]);
  room.mute(true);
  assert.equal(room.stream.getAudioTracks()[0].enabled, false);
  assert.deepEqual((await socket.take('update_status')).status, { name: 'Anna', user_agent: 'chrome', muted: true, camera: true });
  socket.say({ event: 'peer_updated_status', sender_id: 'p', status: { muted: null, camera: false } });
  const [bo] = room.members;
  assert.deepEqual([bo.name, bo.muted, bo.hasVideo], ['Bo', false, false]);
});

test('who comes and goes', async () => {
  const { room, socket } = await entered([]);
  const heard = [];
  for (const event of ['entered', 'left']) room.on(event, ({ id }) => heard.push(`${id} ${event}`));
  socket.say({ event: 'new_peer', peer_id: 'p', status: null });
  socket.say({ event: 'peer_left', sender_id: 'p' });
  socket.say({ event: 'peer_left', sender_id: 'p' });
  await settle();
  assert.deepEqual(heard, ['p entered', 'p left']);
  assert.equal(made.connections[0].closed, true);
  assert.deepEqual(room.members, []);
});

for (const code of ['room_full', 'password_mismatch', 'room_id_too_long']) {
  test(`${code} is said, and nothing is dialled again`, async () => {
    const { room, joining } = asked();
    const [socket] = made.sockets;
    socket.say(HELLO);
    const { id } = await socket.take('join_room');
    socket.say({ event: 'error', id, code, message: '', description: '' });
    await assert.rejects(joining, { code });
    clock.tick(60_000);
    assert.deepEqual([room.state, made.sockets.length, socket.closed], ['out', 1, 1000]);
    void room.join('choir').catch(() => {});
    assert.equal(made.sockets.length, 2, 'it cannot be tried again');
  });
}

test('a lost socket: in again as somebody new, without our own ghost', async () => {
  const { room, socket } = await entered([peer('p', 'firefox', { name: 'Bo' })]);
  socket.onclose({ code: 1006 });
  assert.equal(room.state, 'away');
  assert.equal(made.connections[0].closed, undefined, 'media ended with the socket');
  clock.tick(1000);
  await admit([peer('p', 'firefox'), peer('us1', 'chrome')]);
  assert.equal(room.state, 'joined');
  assert.equal(room.ownId, 'us2');
  assert.equal(made.connections[0].closed, true);
  assert.deepEqual(room.members.map(({ id }) => id), ['p']);
});

test('a lost socket: a room that is full of our own ghost is tried again, another refusal is not', async () => {
  const { room } = await entered([]);
  const refused = [];
  room.on('refused', ({ code }) => refused.push(code));
  for (const code of ['room_full', 'password_mismatch']) {
    last(made.sockets).onclose({ code: 4200 });
    clock.tick(2000);
    const socket = last(made.sockets);
    socket.say(HELLO);
    const { id } = await socket.take('join_room');
    socket.onclose ??= () => {};
    socket.say({ event: 'error', id, code, message: '', description: '' });
    await settle();
    if (code === 'room_full') {
      assert.equal(room.state, 'away');
      clock.tick(3000);
    }
  }
  assert.deepEqual([room.state, refused], ['out', ['password_mismatch']]);
});

test('a server that cannot be reached ends the attempt', async () => {
  const { room, joining } = asked();
  made.sockets[0].onclose({ code: 1006 });
  clock.tick(25_000);
  await assert.rejects(joining, { code: 'link-lost' });
  assert.equal(room.state, 'out');
});

test('leaving says so, closes everything and lets a join in between end', async () => {
  const { room, socket } = await entered([peer('p', 'chrome')]);
  room.leave();
  await socket.take('leave_room');
  assert.deepEqual([room.state, socket.closed, made.connections[0].closed], ['out', 1000, true]);
  const { room: other, joining } = asked();
  other.leave();
  await assert.rejects(joining, { code: 'closed' });
});

test('no connection to a member has an end; who offered first tries anew', async () => {
  const { room, socket } = await entered([peer('p', 'firefox')]);
  socket.say({ event: 'new_peer', ...peer('q', 'chrome') });
  await settle();
  const [answering, offering] = made.connections;
  for (const pc of [answering, offering]) {
    pc.become('connected');
    pc.become('failed');
  }
  await settle();
  assert.deepEqual(room.members.map(({ state }) => state), ['interrupted', 'interrupted']);
  assert.ok(!answering.did.includes('restart') && offering.did.includes('restart'));
  assert.equal(events(socket).filter((event) => event === 'offer to q').length, 2);
  offering.become('connected');
  clock.tick(31_000);
  assert.deepEqual(room.members.map(({ state }) => state), ['failed', 'connected']);
});

test('a bad description ends nothing but the connection it was for', async () => {
  const { mock } = await import('node:test');
  const said = mock.method(console, 'error', () => {});
  const { room, socket } = await entered([peer('p', 'firefox'), peer('q', 'firefox')]);
  socket.say({ event: 'offer', sender_id: 'p', sdp: { type: 'offer', sdp: 'bad' } });
  socket.say({ event: 'offer', sender_id: 'nobody', sdp: null });
  socket.say({ event: 'answer', sender_id: 'q', sdp: 7 });
  await settle();
  said.mock.restore();
  assert.deepEqual(room.members.map(({ state }) => state), ['failed', 'connecting']);
});

test('new credentials go to every connection and to those that are made later', async () => {
  const { socket } = await entered([peer('p', 'chrome')]);
  socket.say({ event: 'ice_servers', room: true, ice_servers: [{ urls: ['turn:y'] }], expires: 600 });
  socket.say({ event: 'new_peer', ...peer('q', 'chrome') });
  for (const pc of made.connections) assert.deepEqual(pc.configuration.iceServers, [{ urls: ['turn:y'] }]);
});

test('messages: to everybody or to some, and from a member', async () => {
  const { room, socket } = await entered([peer('p', 'firefox', { name: 'Bo' }), peer('q', 'firefox')]);
  room.sendMessage({ text: 'good day' });
  room.sendMessage('you alone', room.members.slice(1));
  const sent = socket.sent.filter(({ data }) => data?.event === 'message').map(({ peer_id, data }) => [peer_id, data.data]);
  assert.deepEqual(sent, [['p', { text: 'good day' }], ['q', { text: 'good day' }], ['q', 'you alone']]);
  const heard = [];
  room.on('message', ({ member, data }) => heard.push([member.name, data]));
  socket.say({ event: 'message', sender_id: 'p', data: { text: 'hello' } });
  socket.say({ event: 'message', sender_id: 'nobody', data: 'x' });
  assert.deepEqual(heard, [['Bo', { text: 'hello' }]]);
});

test('statistics of a member are since they were asked last', async () => {
  const { room } = await entered([peer('p', 'chrome')]);
  const [pc] = made.connections;
  const [member] = room.members;
  const report = (timestamp, bytesReceived) => new Map([['a', { type: 'inbound-rtp', kind: 'audio', timestamp, bytesReceived, packetsReceived: 1, packetsLost: 0 }]]);
  pc.getStats = async () => report(1000, 1000);
  assert.equal((await member.statistics()).received, undefined);
  pc.getStats = async () => report(2000, 5000);
  assert.equal((await member.statistics()).received, 32_000);
});

test('another network: a room asks its socket at once whether it still works, until it was left', async () => {
  const target = new EventTarget();
  Object.assign(globalThis, { addEventListener: target.addEventListener.bind(target), removeEventListener: target.removeEventListener.bind(target) });
  try {
    const { room, socket } = await entered([]);
    const pings = () => socket.sent.filter(({ event }) => event === 'ping').length;
    const before = pings();
    target.dispatchEvent(new Event('online'));
    await settle();
    assert.equal(pings(), before + 1);
    room.leave();
    target.dispatchEvent(new Event('online'));
    await settle();
    assert.equal(pings(), before + 1);
  } finally {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  }
});
