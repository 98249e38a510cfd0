// What of the page needs no browser: its states, its sentences, what people type.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { FakeAudioContext, FakeClock, FakeStream, made } from './fakes.mjs';
import { stillOpen } from './devices.js';
import { ringIncoming, ringOutgoing, stopRinging } from './ring.js';
import { next, STATES } from './states.js';
import { addressIn, catalogues, clock, t } from './strings.js';

const here = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

test('states: the ways through a call', () => {
  const walk = (from, ...happenings) => happenings.reduce((state, happening) => next(state, happening), from);
  assert.equal(walk('connecting', 'ready', 'dial', 'remote-rings', 'answered', 'connected', 'ended', 'dismiss'), 'idle');
  assert.equal(walk('idle', 'ring', 'answered', 'connected'), 'in-call');
  assert.equal(walk('idle', 'dial', 'ended', 'dial'), 'dialing');
  assert.equal(walk('ended', 'ring'), 'incoming');
});

test('states: what must not disturb a call', () => {
  for (const state of ['dialing', 'ringing', 'incoming', 'connecting-media', 'in-call']) {
    for (const happening of ['away', 'ready', 'ring', 'dial', 'dismiss']) assert.equal(next(state, happening), state, `${state} ${happening}`);
  }
  assert.equal(next('in-call', 'answered'), 'in-call');
  assert.equal(next('idle', 'ended'), 'idle');
});

test('states: every call state has an end, every state a sentence', () => {
  for (const state of STATES) {
    assert.ok(`state.${state}` in catalogues.en, state);
    if (!['connecting', 'idle', 'ended'].includes(state)) assert.equal(next(state, 'ended'), 'ended');
  }
});

test('the pages say what the English catalogue says', () => {
  const text = here('index.html') + here('room.html');
  const decode = (html) => html.replaceAll('&amp;', '&');
  const shown = [...text.matchAll(/data-t="([^"]+)"[^>]*>([^<]*)</g)].map(([, key, words]) => [key, words]);
  const labels = [...text.matchAll(/<[^>]*data-t-(?:label|alt|placeholder)="([^"]+)"[^>]*>/g)]
    .map(([tag, key]) => [key, /\s(?:aria-label|alt|placeholder)="([^"]*)"/.exec(tag)?.[1] ?? '']);
  assert.ok(shown.length > 25 && labels.length >= 4);
  for (const [key, words] of [...shown, ...labels]) assert.equal(decode(words), catalogues.en[key], key);
});

test('catalogues: the same keys in each, none without a use, none missing', () => {
  for (const catalogue of Object.values(catalogues)) assert.deepEqual(Object.keys(catalogue), Object.keys(catalogues.en));
  const sources = ['index.html', 'room.html', 'page.js', 'lobby.js', 'stage.js', 'view.js', 'roompage.js', 'tiles.js'].map(here).join('\n');
  const composed = /^(state|status|link|error|end|media|room)\./;
  for (const key of Object.keys(catalogues.en)) assert.ok(composed.test(key) || sources.includes(`'${key}'`) || sources.includes(`"${key}"`), key);
  for (const [, key] of sources.matchAll(/\bt\('([^']+)'/g)) assert.ok(key in catalogues.en, key);
});

test('every ending of the server has a sentence', () => {
  const outcomes = [...here('../component/call/outcome.go').matchAll(/ Outcome = "([^"]+)"/g)].map(([, name]) => name);
  assert.ok(outcomes.length > 15);
  for (const outcome of outcomes) assert.ok(`end.${outcome}` in catalogues.en, outcome);
});

test('ringing sounds at once, and the audio context sleeps when it is over', async () => {
  globalThis.AudioContext = FakeAudioContext;
  const clock = new FakeClock();
  clock.install();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  try {
    ringIncoming();
    const [context] = made.sounds;
    await settle();
    assert.equal(context.state, 'running');
    assert.ok(context.strokes > 0, 'the first bell waits for the second period');
    stopRinging();
    clock.tick(1000);
    assert.equal(context.state, 'suspended');
    ringIncoming();
    stopRinging();
    ringOutgoing();
    clock.tick(1000);
    await settle();
    assert.equal(context.state, 'running', 'the end of one sound put the next to sleep');
    stopRinging();
    clock.tick(1000);
    assert.equal(context.state, 'suspended');
    assert.equal(made.sounds.length, 1);
  } finally {
    stopRinging();
    clock.restore();
  }
});

test('a preview of which a device has gone is not taken for a call', () => {
  const stream = new FakeStream(['audio', 'video']);
  assert.equal(stillOpen(stream), true);
  stream.getTracks()[1].end();
  assert.equal(stillOpen(stream), false);
});

test('buttons that turn something on or off say what a press does, and only so', () => {
  for (const name of ['index.html', 'room.html', 'page.js', 'lobby.js', 'stage.js', 'view.js', 'roompage.js', 'tiles.js']) assert.ok(!here(name).includes('aria-pressed'), name);
});

test('sentences are filled in', () => {
  assert.equal(t('state.ringing', { name: 'Alice' }), 'Ringing at Alice');
});

test('clock', () => {
  assert.deepEqual([-5, 0, 59_999, 61_000, 3_600_000 + 62_000].map(clock), ['0:00', '0:00', '0:59', '1:01', '1:01:02']);
});

test('addresses as people type and paste them', () => {
  assert.equal(addressIn(' alice@example.org '), 'alice@example.org');
  assert.equal(addressIn('xmpp:alice@example.org?message;body=hi'), 'alice@example.org');
  assert.equal(addressIn('alice@example.org/phone in hand'), 'alice@example.org/phone in hand');
  for (const none of ['', 'alice', '@example.org', 'alice@', 'a b@example.org', 'a@b@c', 'https://example.org/alice']) assert.equal(addressIn(none), undefined, none);
});
