// Devices, statistics, and a site that is not admitted.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Carillon, memoryStore } from './carillon.js';
import { Devices, levelMeter } from './devices.js';
import { devicesOf, made } from './fakes.mjs';
import { clock, opened, settle } from './setup.mjs';
import { digest } from './stats.js';

test('a call without a picture is better than none', async () => {
  const browser = devicesOf(['audio']);
  const stream = await new Devices().open({ video: true });
  assert.deepEqual(stream.getTracks().map(({ kind }) => kind), ['audio']);
  browser.list.push({ kind: 'videoinput', deviceId: 'v', label: 'v' });
  browser.fail.video = 'NotReadableError';
  assert.equal((await new Devices().open({ video: true })).getTracks().length, 1);
  browser.fail.video = undefined;
  assert.equal((await new Devices().open({ video: true })).getTracks().length, 2);
});

test('why a device cannot be used', async () => {
  const browser = devicesOf([]);
  const devices = new Devices();
  await assert.rejects(devices.open(), { code: 'no-microphone' });
  await assert.rejects(devices.open({ audio: false, video: true }), { code: 'no-camera' });
  for (const [name, code] of [['NotAllowedError', 'denied'], ['NotReadableError', 'in-use'], ['AbortError', 'in-use'], ['TypeError', 'media-failed'], ['OverconstrainedError', 'no-microphone']]) {
    browser.fail.audio = name;
    await assert.rejects(devices.open({ video: true }), { code }, name);
  }
  navigator.mediaDevices = undefined;
  await assert.rejects(new Devices().open(), { code: 'insecure-context' });
});

test('devices are listed by kind, anew when one comes or goes, and a choice is remembered', async () => {
  const browser = devicesOf(['audio', 'video']);
  const devices = new Devices();
  const changed = new Promise((resolve) => devices.on('change', resolve));
  browser.list.push({ kind: 'audiooutput', deviceId: 'o', label: 'o' });
  browser.media.dispatchEvent(new Event('devicechange'));
  await changed;
  assert.deepEqual([devices.microphones, devices.cameras, devices.speakers].map((each) => each.map(({ deviceId }) => deviceId)), [['audio'], ['video'], ['o']]);
  devices.choose('video', 'other');
  const next = new Devices();
  assert.deepEqual(next.chosen, { audio: '', video: 'other', output: '' });
  await next.open({ video: true });
  assert.deepEqual([browser.asked[0].video.deviceId, browser.asked[0].video.facingMode, browser.asked[0].audio.deviceId], [{ ideal: 'other' }, undefined, undefined]);
  localStorage.setItem('carillon devices', 'nonsense');
  assert.deepEqual(new Devices().chosen, { audio: '', video: '', output: '' });
});

test('a level is from silence to shouting', () => {
  let amplitude = 0;
  globalThis.AudioContext = class {
    createAnalyser() { return { fftSize: 256, getFloatTimeDomainData: (samples) => samples.fill(amplitude) }; }
    createMediaStreamSource() { return { connect() {} }; }
    async close() { this.closed = true; }
  };
  const meter = levelMeter({});
  const levels = [0, 0.0005, 0.05, 0.9].map((value) => {
    amplitude = value;
    return meter.level();
  });
  meter.close();
  assert.deepEqual([levels[0], levels[1], levels[3]], [0, 0, 1]);
  assert.ok(levels[2] > 0.4 && levels[2] < 0.8, String(levels[2]));
});

// As Chromium 156 and Firefox 153 write them, without what is not looked at.
const chromium = (at, fields = {}) => [
  { id: 'T', type: 'transport', timestamp: at, selectedCandidatePairId: 'P' },
  { id: 'P', type: 'candidate-pair', timestamp: at, localCandidateId: 'L', remoteCandidateId: 'R', currentRoundTripTime: 0.02 },
  { id: 'Q', type: 'candidate-pair', timestamp: at, localCandidateId: 'R', remoteCandidateId: 'L', currentRoundTripTime: 9 },
  { id: 'L', type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
  { id: 'R', type: 'remote-candidate', candidateType: 'prflx', protocol: 'udp' },
  { id: 'IA', type: 'inbound-rtp', timestamp: at, kind: 'audio', codecId: 'CA', bytesReceived: 1000, packetsReceived: 100, packetsLost: 0, jitter: 0.004, ...fields.audio },
  { id: 'IV', type: 'inbound-rtp', timestamp: at, kind: 'video', codecId: 'CV', bytesReceived: 5000, packetsReceived: 50, packetsLost: 2, jitter: 0.01, frameWidth: 640, frameHeight: 480, framesPerSecond: 25, ...fields.video },
  { id: 'OA', type: 'outbound-rtp', timestamp: at, kind: 'audio', codecId: 'CO', bytesSent: 2000, ...fields.sent },
  { id: 'RI', type: 'remote-inbound-rtp', timestamp: at - 900, kind: 'audio', fractionLost: 0.25, roundTripTime: 0.5 },
  { id: 'CA', type: 'codec', mimeType: 'audio/opus' }, { id: 'CV', type: 'codec', mimeType: 'video/VP8' }, { id: 'CO', type: 'codec', mimeType: 'audio/PCMU' },
].map((each) => [each.id, each]);

test('statistics: what there is at first, and rates from the second time on', () => {
  const [first, sample] = digest(chromium(10_000));
  assert.deepEqual(first, {
    route: 'direct', protocol: 'udp', rtt: 20, jitter: 10, lossThere: 0.25, codecs: { audio: 'opus', video: 'VP8' }, picture: { width: 640, height: 480, fps: 25 },
  });
  const [second] = digest(chromium(12_000, { audio: { bytesReceived: 2000, packetsReceived: 180, packetsLost: 20 }, sent: { bytesSent: 3000 } }), sample);
  assert.deepEqual([second.received, second.sent, second.loss], [4000, 4000, 0.2]);
  // Counters that begin anew, and a late packet, give no negative numbers.
  const [third] = digest(chromium(14_000, { audio: { bytesReceived: 0, packetsReceived: 0, packetsLost: -5 } }), sample);
  assert.deepEqual([third.received, third.loss], [0, undefined]);
});

test('statistics: a relay on either side, and what Firefox does not tell', () => {
  const relayed = (id, more) => chromium(1).map(([key, value]) => [key, key === id ? { ...value, candidateType: 'relay', ...more } : value]);
  assert.deepEqual(Object.values(digest(relayed('L', { relayProtocol: 'tls' }))[0]).slice(0, 2), ['relayed', 'tls']);
  assert.deepEqual(Object.values(digest(relayed('R'))[0]).slice(0, 2), ['relayed', 'udp']);
  const firefox = chromium(1).filter(([, { type }]) => type !== 'transport').map(([key, value]) => [key, key === 'P' ? { ...value, selected: true, currentRoundTripTime: undefined } : value]);
  const [{ route, rtt }] = digest(firefox);
  assert.deepEqual([route, rtt], ['direct', 500]);
  assert.deepEqual(digest([])[0].codecs, {});
});

test('a site that is not admitted is told so, with what its operator has to set; a server that cannot be reached is something else', async () => {
  const attempt = async (answer) => {
    made.sockets = [];
    globalThis.fetch = answer;
    const carillon = new Carillon({ url: 'wss://call.example.org/ws', store: memoryStore() });
    opened.push(carillon);
    const attached = carillon.attach('Anna').then(() => undefined, (error) => error);
    made.sockets[0].onclose({ code: 1006 });
    await settle();
    clock.tick(25_000);
    return { carillon, error: await attached };
  };
  const asked = [];
  const { carillon, error } = await attempt(async (url, { method }) => {
    asked.push(`${method} ${url}`);
    return { status: 403, text: async () => 'add it to the key "origins"\n' };
  });
  assert.deepEqual([error.code, error.description, carillon.state, asked], ['origin-refused', 'add it to the key "origins"', 'offline', ['POST https://call.example.org/ws']]);
  assert.equal(made.sockets.length, 1, 'it is tried again');
  for (const answer of [async () => ({ status: 426 }), async () => ({ status: 503 }), async () => { throw new TypeError('unreachable'); }]) {
    const { carillon: other, error: lost } = await attempt(answer);
    assert.equal(lost.code, 'link-lost');
    assert.ok(made.sockets.length > 1);
    other.close();
  }
});
