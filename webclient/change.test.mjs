// Calls that change: more and less media, both sides at once, other devices.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { devicesOf, FakeStream } from './fakes.mjs';
import { clock, dialled, page, settle, talking } from './setup.mjs';

const infos = (socket) => socket.sent.filter(({ event }) => event === 'session_info').map(({ info, mid }) => `${info} ${mid ?? 'all'}`);

test('a camera is added, and dropped; their picture stays', async () => {
  const { call, pc, offers, answer } = await talking();
  const added = call.addVideo();
  await answer();
  await added;
  assert.equal(offers().length, 1);
  const [, picture] = pc.transceivers;
  assert.deepEqual([picture.direction, picture.sender.track, call.hasVideo], ['sendrecv', call.localStream.getVideoTracks()[0], true]);
  const [track] = call.localStream.getVideoTracks();
  const dropped = call.removeVideo();
  await answer();
  await dropped;
  assert.deepEqual([picture.direction, picture.sender.track, track.readyState, call.hasVideo], ['recvonly', null, 'ended', false]);
  // The same section serves again.
  const again = call.addVideo();
  await answer();
  await again;
  assert.equal(pc.transceivers.length, 2);
});

test('a camera that the other side does not take is let go, and the call goes on', async () => {
  const { call, answer } = await talking();
  const added = assert.rejects(call.addVideo(), { code: 'video-not-taken' });
  await settle();
  const [track] = call.localStream.getVideoTracks();
  await answer('no-video');
  await added;
  assert.deepEqual([track.readyState, call.hasVideo, call.state], ['ended', false, 'connected']);
});

test('an app without video: the camera of a video call is let go once there is sound, and can be added again', async () => {
  devicesOf(['audio', 'video']);
  const { call, socket, pc } = await dialled(['audio', 'video']);
  const warned = [];
  call.on('warning', ({ code }) => warned.push(code));
  const [track] = call.localStream.getVideoTracks();
  socket.say({ event: 'answer', call: 'c1', sdp: { type: 'answer', sdp: 'reject-video' } });
  await settle();
  assert.deepEqual([warned, track.readyState], [[], 'live']);
  pc.become('connected');
  await settle();
  assert.deepEqual([warned, track.readyState, call.hasVideo, call.state], [['video-not-taken'], 'ended', false, 'connected']);
  const added = call.addVideo();
  await settle();
  socket.say({ event: 'answer', call: 'c1', sdp: { type: 'answer', sdp: '' } });
  await added;
  assert.deepEqual([pc.transceivers.length, call.hasVideo, warned.length], [3, true, 1]);
});

test('nothing can be changed before there is a connection, and a camera that is refused changes nothing', async () => {
  const { call: early } = await dialled();
  await assert.rejects(early.addVideo(), { code: 'bad-state' });
  const { call, devices, offers } = await talking();
  devices.fail.video = 'NotAllowedError';
  await assert.rejects(call.addVideo(), { code: 'denied' });
  devices.fail.screen = 'NotAllowedError';
  await assert.rejects(call.shareScreen(), { code: 'denied' });
  assert.deepEqual([offers().length, call.hasVideo, call.screen], [0, false, undefined]);
});

test('offers that cross: theirs first, and ours joins its section instead of having its own', async () => {
  const { socket, call, pc, offers, answer } = await talking();
  const added = call.addVideo();
  await settle();
  socket.say({ event: 'offer', call: 'c1', sdp: { type: 'offer', sdp: 'audio video' } });
  await settle();
  assert.equal((await socket.take('answer')).sdp.sdp, 'our answer');
  assert.equal(offers().length, 2, 'ours is not made again');
  const used = pc.transceivers.filter(({ direction }) => direction !== 'stopped');
  assert.deepEqual(used.map(({ receiver, sender }) => [receiver.track.kind, sender.track?.kind]), [['audio', 'audio'], ['video', 'video']]);
  await answer();
  await added;
  assert.equal(call.hasVideo, true);
});

test('two changes of ours are negotiated one after the other', async () => {
  const { call, offers, answer } = await talking();
  const both = Promise.all([call.addVideo(), call.shareScreen()]);
  await settle();
  assert.equal(offers().length, 1);
  await answer();
  await answer();
  await both;
  assert.equal(offers().length, 2);
});

test('an answer that the browser refuses, or that never comes: the change is undone and the call goes on', async () => {
  mock.method(console, 'error', () => {});
  const { call, pc, warned, answer } = await talking();
  const refused = assert.rejects(call.addVideo(), { code: 'change-failed' });
  await answer('bad');
  await refused;
  const unanswered = assert.rejects(call.addVideo(), { code: 'timeout' });
  await settle();
  clock.tick(99_000);
  await settle();
  assert.equal(pc.signalingState, 'have-local-offer');
  clock.tick(1_000);
  await unanswered;
  assert.deepEqual([pc.did.filter((each) => each === 'rollback').length, pc.signalingState, call.state], [2, 'stable', 'connected']);
  assert.deepEqual(warned, ['change-failed', 'change-failed']);
  mock.restoreAll();
});

test('a screen is marked as slides for the other side, not for the browser, and ends with its track', async () => {
  const { call, pc, offers, answer } = await talking();
  const set = mock.method(pc, 'setLocalDescription');
  const shared = call.shareScreen();
  await answer();
  await shared;
  assert.match(offers()[0].sdp.sdp, /a=mid:1\r\na=content:slides\r\n$/);
  assert.doesNotMatch(set.mock.calls[0].arguments[0].sdp, /slides/);
  assert.equal(pc.transceivers[1].direction, 'sendonly');
  call.screen.getTracks()[0].end();
  await answer();
  assert.deepEqual([call.screen, pc.transceivers[1].direction, offers().length], [undefined, 'stopped', 2]);
});

test('a screen that is not taken as a second picture takes the place of the camera', async () => {
  const { call, pc, answer } = await talking(['audio', 'video']);
  const camera = call.localStream.getVideoTracks()[0];
  const shared = call.shareScreen();
  await settle();
  pc.transceivers[2].receiver.track.kind = 'slides';
  await answer('no-slides');
  await shared;
  const [, picture, beside] = pc.transceivers;
  assert.deepEqual([picture.sender.track, beside.direction], [call.screen.getTracks()[0], 'stopped']);
  await call.stopScreen();
  assert.equal(picture.sender.track, camera);
  // Without a camera there is no such place.
  const other = await talking();
  const refused = assert.rejects(other.call.shareScreen(), { code: 'video-not-taken' });
  await other.answer('no-video');
  await refused;
  assert.equal(other.call.screen, undefined);
});

test('their screen is told from their camera by its mark, or by being the second', async () => {
  for (const [mark, camera] of [[1, 2], [2, 1], [undefined, 1]]) {
    const { socket, call, pc } = await talking();
    const tracks = [];
    call.on('track', ({ track, stream }) => tracks.push([track.kind, stream]));
    const section = (kind, mid) => `m=${kind} 9 x\r\na=mid:${mid}\r\n${mark === mid ? 'a=content:slides\r\n' : ''}`;
    socket.say({ event: 'offer', call: 'c1', sdp: { type: 'offer', sdp: `v=0\r\n${section('audio', 0)}${section('video', 1)}${section('video', 2)}` } });
    await settle();
    assert.deepEqual(call.remoteStream.getVideoTracks(), [pc.transceivers[camera].receiver.track]);
    assert.deepEqual(call.remoteScreen.getTracks(), [pc.transceivers[3 - camera].receiver.track]);
    assert.equal(tracks.length, 2);
  }
});

test('candidates of a description that is still to come wait for it', async () => {
  const { socket, pc, call, answer } = await talking();
  const say = (candidate, ufrag) => socket.say({ event: 'ice_candidate', call: 'c1', candidate, sdpmid: '0', sdpmlineindex: 0, ...(ufrag && { ufrag }) });
  say('present', 'one');
  say('candidate:1 1 udp 1 192.0.2.1 1 typ host ufrag two');
  say('to come', 'two');
  await settle();
  assert.deepEqual(pc.did.filter((each) => each.startsWith('candidate')), ['candidate present']);
  call.restart();
  await answer('a=ice-ufrag:two\r\n');
  assert.deepEqual(pc.did.filter((each) => each.startsWith('candidate')).slice(1).map((each) => each.split(' ').at(-1)), ['two', 'come']);
});

test('muting, camera and hold are told by section, and what was so from the start when somebody hears it', async () => {
  devicesOf(['audio', 'video']);
  const { socket, call, pc } = await dialled(['audio', 'video']);
  call.mute(true);
  assert.deepEqual(infos(socket), []);
  socket.say({ event: 'answer', call: 'c1', sdp: { type: 'answer', sdp: '' } });
  await settle();
  pc.become('connected');
  call.turnCameraOff(true);
  call.mute(false);
  call.hold(true);
  assert.deepEqual(infos(socket), ['mute 0', 'mute 1', 'unmute 0', 'hold all']);
  assert.deepEqual(pc.transceivers.map(({ sender }) => sender.track), [null, null]);
  call.hold(false);
  assert.deepEqual(pc.transceivers.map(({ sender }) => sender.track), call.localStream.getTracks());
});

test('what the other side says of itself', async () => {
  const { socket, call, pc } = await talking(['audio', 'video']);
  const said = (info, mid) => {
    socket.say({ event: 'session_info', call: 'c1', info, ...(mid && { mid }) });
    return Object.entries(call.remote).filter(([, value]) => value).map(([name]) => name).join();
  };
  assert.equal(pc.transceivers[1].mid, '1');
  assert.deepEqual([said('mute', '0'), said('mute', '1'), said('unmute'), said('hold'), said('active'), said('mute'), said('unmute', '1'), said('nonsense')], ['muted', 'muted,cameraOff', '', 'held', '', 'muted,cameraOff', 'muted', 'muted']);
});

test('a call that found no path tells that there was no relay either', async () => {
  const { socket, call } = await dialled();
  socket.say({ event: 'warning', call: 'c1', code: 'no-route', text: 'no relay' });
  socket.say({ event: 'ended', call: 'c1', reason: 'no-connection', text: 'none' });
  assert.deepEqual(await call.finished, { reason: 'no-connection', text: 'none', code: 'no-route' });
});

test('tones go out in order, and only tones', async () => {
  const { call, pc } = await talking();
  assert.equal(call.takesTones, true);
  call.sendTones('12');
  call.sendTones('#');
  assert.equal(pc.transceivers[0].sender.dtmf.toneBuffer, '12#');
  assert.throws(() => call.sendTones('x'), { code: 'bad_value' });
  pc.transceivers[0].sender.dtmf.canInsertDTMF = false;
  assert.throws(() => call.sendTones('1'), { code: 'no-tones' });
});

test('a microphone that is unplugged is replaced; without another one the call says so, until one is plugged in', async () => {
  const { call, pc, devices, warned } = await talking();
  const [first] = call.localStream.getTracks();
  first.end();
  await settle();
  const [second] = call.localStream.getTracks();
  assert.notEqual(second, first);
  assert.equal(pc.transceivers[0].sender.track, second);
  devices.list = [];
  call.mute(true);
  second.end();
  await settle();
  assert.deepEqual([call.lostMedia, warned], [['audio'], ['microphone-changed', 'no-microphone']]);
  devices.list = [{ kind: 'audioinput', deviceId: 'new', label: 'new' }];
  devices.media.dispatchEvent(new Event('devicechange'));
  await settle();
  const [third] = call.localStream.getTracks();
  assert.deepEqual([call.lostMedia, pc.transceivers[0].sender.track, third.enabled], [[], third, false]);
});

test('a permission that is withdrawn is said as such', async () => {
  const { call, devices, warned } = await talking();
  devices.fail.audio = 'NotAllowedError';
  call.localStream.getTracks()[0].end();
  await settle();
  assert.deepEqual([call.lostMedia, warned, call.state], [['audio'], ['denied'], 'connected']);
});

test('another device that is chosen is used at once, also while on hold', async () => {
  const { carillon, call, pc, devices } = await talking();
  const [first] = call.localStream.getTracks();
  call.hold(true);
  carillon.devices.choose('audio', 'headset');
  await settle();
  const [second] = call.localStream.getTracks();
  assert.deepEqual([devices.asked.at(-1).audio.deviceId, first.readyState, pc.transceivers[0].sender.track], [{ ideal: 'headset' }, 'ended', null]);
  call.hold(false);
  assert.equal(pc.transceivers[0].sender.track, second);
  carillon.devices.choose('video', 'other');
  await settle();
  assert.equal(call.hasVideo, false, 'a choice opened a camera');
});

test('all that a call was given is closed with it', async () => {
  const { call, answer } = await talking(['audio', 'video']);
  const shared = call.shareScreen();
  await answer();
  await shared;
  const tracks = [...call.localStream.getTracks(), ...call.screen.getTracks()];
  call.hangUp();
  assert.deepEqual(tracks.map(({ readyState }) => readyState), ['ended', 'ended', 'ended']);
  await assert.rejects(call.addVideo(), { code: 'bad-state' });
});

test('chat: sent to whom the call is with, heard by the call and the page', async () => {
  const { carillon, socket, call } = await talking();
  const heard = [];
  carillon.on('text', ({ from, name, body, stamp }) => heard.push(['page', from, name, body, stamp?.getTime()]));
  call.on('text', ({ body }) => heard.push(['call', body]));
  carillon.on('undelivered', ({ to, message }) => heard.push(['undelivered', to, message]));
  const sent = call.sendText('hello');
  const { id, to, body, message } = await socket.take('text');
  assert.deepEqual([to, body], ['alice@example.org', 'hello']);
  socket.say({ event: 'ok', id });
  assert.equal(await sent, message);
  socket.say({ event: 'text', from: 'Alice@example.org', body: 'hi', stamp: '2026-03-01T10:20:30Z' });
  socket.say({ event: 'text', from: 'bob@example.org', name: 'Bob B.', body: 'ho' });
  socket.say({ event: 'undelivered', to: 'alice@example.org', message, text: 'gone' });
  assert.deepEqual(heard, [['page', 'Alice@example.org', undefined, 'hi', Date.UTC(2026, 2, 1, 10, 20, 30)], ['call', 'hi'], ['page', 'bob@example.org', 'Bob B.', 'ho', undefined], ['undelivered', 'alice@example.org', message]]);
});

test('a page that was loaded anew hears whom to call again', async () => {
  const { carillon, socket } = await page();
  const lost = [];
  carillon.on('lost', (call) => lost.push(call));
  socket.say({ event: 'ended', call: 'old', reason: 'page-lost', text: 'anew', to: 'bob@example.org' });
  socket.say({ event: 'ended', call: 'older', reason: 'page-lost', text: 'anew' });
  assert.deepEqual(lost, [{ address: 'bob@example.org', reason: 'page-lost', text: 'anew' }]);
});

test('an offer keeps the credentials that each section has, unless another path is wanted or the browser refuses', async () => {
  const sdp = (first, second, port = 9) => `v=0\r\nm=audio 9 x\r\na=ice-ufrag:${first}\r\na=ice-pwd:pw-${first}\r\nm=video ${port} x\r\na=ice-ufrag:${second}\r\na=ice-pwd:pw-${second}\r\n`;
  const offered = async (current, change, refuses = false) => {
    const { call, pc, offers, answer } = await talking();
    pc.currentLocalDescription = { type: 'offer', sdp: current };
    pc.createOffer = async () => ({ type: 'offer', sdp: sdp('A', 'A') });
    const set = pc.setLocalDescription.bind(pc);
    if (refuses) pc.setLocalDescription = async (description) => { if (description.sdp === sdp('A', 'A')) return set(description); throw new Error('changed'); };
    void change(call);
    await answer();
    return offers()[0].sdp.sdp;
  };
  const add = (call) => call.addVideo().catch(() => {});
  assert.equal(await offered(sdp('A', 'B'), add), sdp('A', 'B'));
  assert.equal(await offered(sdp('A', 'B', 0), add), sdp('A', 'A'), 'of a section that was rejected');
  assert.equal(await offered(sdp('A', 'B'), add, true), sdp('A', 'A'));
  assert.equal(await offered(sdp('A', 'B'), (call) => call.restart()), sdp('A', 'A'));
});

test('an offer gives no header extension an id that was another one\'s', async () => {
  const { call, pc, socket, offers, answer } = await talking();
  const lines = (...all) => ['v=0', 'm=audio 9 x', 'a=extmap:1 level', 'm=video 9 x', ...all, ''].join('\r\n');
  socket.say({ event: 'offer', call: 'c1', sdp: { type: 'offer', sdp: lines('a=extmap:2/sendonly stream') } });
  pc.createOffer = async () => ({ type: 'offer', sdp: lines('a=extmap:2 time', 'a=extmap:3 rotation', 'a=extmap:2 stream', 'a=mid:1') });
  void call.addVideo().catch(() => {});
  await answer();
  assert.equal(offers()[0].sdp.sdp, lines('a=extmap:3 rotation', 'a=extmap:2 stream', 'a=mid:1'));
});

test('an offer that crosses ours is taken without the header extensions whose ids ours gave to others', async () => {
  const { call, pc, socket, answer } = await talking();
  const lines = (...all) => ['v=0', 'm=video 9 x', ...all, ''].join('\r\n');
  pc.createOffer = async () => ({ type: 'offer', sdp: lines('a=extmap:6 content', 'a=extmap:4 mid') });
  void call.addVideo().catch(() => {});
  await settle();
  assert.equal(pc.signalingState, 'have-local-offer');
  socket.say({ event: 'offer', call: 'c1', sdp: { type: 'offer', sdp: lines('a=extmap:6 delay', 'a=extmap:5 content', 'a=extmap:4 mid') } });
  await settle();
  assert.equal(pc.remoteDescription.sdp, lines('a=extmap:5 content', 'a=extmap:4 mid'));
  await answer();
});
