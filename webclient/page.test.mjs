// What of the page needs no browser: its states, its sentences, what people type.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { FakeAudioContext, FakeClock, FakeStream, made } from './fakes.mjs';
import { stillOpen } from './devices.js';
import { ringIncoming, ringOutgoing, stopRinging } from './ring.js';
import { partsOf } from './links.js';
import { endingText, warningText } from './stage.js';
import { fullName } from './view.js';
import { next, STATES } from './states.js';
import { chooseLanguage, addressIn, clock, direction, keyOf, LANGUAGES, learn, plural, preferred, speak, t } from './strings.js';
import { CODES } from './events.js';

const PARTS = ['', 'missing-', 'room-', 'test-'];
const catalogues = Object.fromEntries(await Promise.all(Object.keys(LANGUAGES).map(async (code) => [code, Object.assign({}, ...await Promise.all(PARTS.map(async (part) => (await import(`./strings/${part}${code}.js`)).default)))])));
const { en } = catalogues;
for (const part of PARTS.slice(1)) await learn(Object.fromEntries(Object.keys(LANGUAGES).map((code) => [code, () => import(`./strings/${part}${code}.js`)])));
const here = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

test('states: the ways through a call', () => {
  const walk = (from, ...happenings) => happenings.reduce((state, happening) => next(state, happening), from);
  assert.equal(walk('connecting', 'ready', 'dial', 'remote-rings', 'answered', 'connected', 'ended', 'dismiss'), 'idle');
  assert.equal(walk('idle', 'ring', 'answered', 'connected'), 'in-call');
  assert.equal(walk('idle', 'dial', 'ended', 'dial'), 'dialing');
  assert.equal(walk('ended', 'ring'), 'incoming');
  assert.equal(walk('in-call', 'swap', 'connected', 'ended'), 'ended');
  assert.equal(walk('connecting', 'lost', 'dial'), 'dialing');
});

test('states: what must not disturb a call', () => {
  for (const state of ['dialing', 'ringing', 'incoming', 'connecting-media', 'in-call']) {
    for (const happening of ['away', 'ready', 'ring', 'dial', 'dismiss', 'lost']) assert.equal(next(state, happening), state, `${state} ${happening}`);
  }
  assert.equal(next('in-call', 'answered'), 'in-call');
  assert.equal(next('idle', 'ended'), 'idle');
});

test('states: every call state has an end, every state a sentence', () => {
  for (const state of STATES) {
    assert.ok(`state.${state}` in en, state);
    if (!['connecting', 'idle', 'ended'].includes(state)) assert.equal(next(state, 'ended'), 'ended');
  }
});

test('what somebody says to be called stands beside the address, never in its place', () => {
  const guest = 'anna-3uxgdembcp7enura@call.example.org';
  assert.equal(fullName(undefined, 'bob@example.org'), 'bob');
  assert.equal(fullName('Mum', 'bob@example.org'), '\u2068Mum\u2069 (bob@example.org)');
  assert.equal(fullName('Anna (guest)', guest), 'Anna');
  assert.equal(fullName('Bob (guest)', guest), `\u2068Bob (guest)\u2069 (${guest})`);
});

test('the pages say what the English catalogue says, or nothing before they are translated', () => {
  const text = here('index.html') + here('room.html') + here('missing.html');
  const decode = (html) => html.replaceAll('&amp;', '&');
  const shown = [...text.matchAll(/data-t="([^"]+)"[^>]*>([^<]*)</g)].map(([, key, words]) => [key, words]);
  const labels = [...text.matchAll(/<[^>]*data-t-(?:label|alt|placeholder)="([^"]+)"[^>]*>/g)]
    .map(([tag, key]) => [key, /\s(?:aria-label|alt|placeholder)="([^"]*)"/.exec(tag)?.[1] ?? '']);
  assert.ok(shown.length > 25 && labels.length >= 4);
  for (const [key, words] of [...shown, ...labels]) {
    assert.ok(key in en, key);
    if (words) assert.equal(decode(words), en[key], key);
  }
  // What is on the screen first is there without any script.
  for (const key of ['lobby', 'name', 'address', 'call.video', 'call.audio']) assert.ok(shown.some(([shownKey, words]) => shownKey === key && words), key);
});

test('catalogues: the same keys and placeholders in each, none without a use, none missing', () => {
  const placeholders = (sentence) => (sentence.match(/\{\w+\}/g) ?? []).sort().join();
  assert.deepEqual(readdirSync(new URL('strings', import.meta.url)).sort(), Object.keys(LANGUAGES).flatMap((code) => PARTS.map((part) => `${part}${code}.js`)).sort());
  for (const [language, catalogue] of Object.entries(catalogues)) {
    assert.deepEqual(Object.keys(catalogue), Object.keys(en), language);
    for (const [key, sentence] of Object.entries(catalogue)) {
      assert.ok(sentence.trim() && !/[{}]/.test(sentence.replace(/\{\w+\}/g, '')), `${language} ${key}`);
      assert.equal(placeholders(sentence), placeholders(en[key]), `${language} ${key}`);
    }
  }
  const sources = readdirSync(new URL('.', import.meta.url)).filter((name) => /^[^.]+\.(js|html)$/.test(name)).map(here).join('\n');
  const composed = /^(state|status|link|error|end|media|room|warning|test|stats|chat\.unread)\.|^contacts\.(asks|approved|blocked)$/;
  for (const key of Object.keys(en)) assert.ok(composed.test(key) || sources.includes(`'${key}'`) || sources.includes(`"${key}"`), key);
  for (const [, key] of sources.matchAll(/\bt\('([^']+)'/g)) assert.ok(key in en, key);
  for (const [, name, key] of sources.matchAll(/\bt\(`(\w+)\.\$\{[^}]+\}`/g)) assert.ok(Object.keys(en).some((each) => each.startsWith(`${name}.`)), key);
});

test('every ending, error and warning of the server and of the library has a sentence', () => {
  const named = (file, pattern) => [...here(file).matchAll(pattern)].map(([, name]) => name);
  const outcomes = named('../component/call/outcome.go', / Outcome += "([^"]+)"/g);
  const codes = [...named('../component/gateway/errors.go', / Code += "([^"]+)"/g), ...named('../component/room/room.go', / Reason += "([^"]+)"/g)];
  const warnings = named('../component/call/call.go', / WarningCode += "([^"]+)"/g);
  assert.ok(outcomes.length > 15 && codes.length > 35 && warnings.length > 0, `${outcomes.length} ${codes.length} ${warnings.length}`);
  for (const outcome of [...outcomes, 'link-lost', 'failed']) assert.ok(`end.${outcome}` in en, outcome);
  for (const code of [...codes, ...CODES]) assert.ok(keyOf(code), code);
  for (const code of [...warnings, 'no-route', 'video-not-taken', 'no-restart', 'change-failed', 'microphone-changed', 'camera-changed', 'denied', 'in-use']) assert.ok(keyOf(code, 'warning'), code);
});

test('languages: that of the browser, or the one chosen; numbers of things', async () => {
  globalThis.localStorage = { getItem: () => null, setItem(_, value) { this.getItem = () => value; } };
  Object.defineProperty(globalThis, 'navigator', { value: { languages: ['pt-BR', 'fr-CA', 'en'] }, configurable: true, writable: true });
  try {
    assert.equal(preferred(), 'fr');
    await speak(preferred());
    assert.equal(t('stage.hangup'), 'Raccrocher');
    assert.equal(plural('chat.unread', 0), '0 nouveau message');
    await chooseLanguage('de');
    assert.equal(preferred(), 'de');
    assert.equal(plural('chat.unread', 2), '2 neue Nachrichten');
    assert.equal(direction(), 'ltr');
    assert.equal(direction('ar'), 'rtl');
  } finally {
    delete globalThis.localStorage;
    await speak('en');
  }
  assert.equal(plural('chat.unread', 1), '1 new message');
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
  for (const name of ['index.html', 'room.html', 'missing.html', 'page.js', 'lobby.js', 'stage.js', 'controls.js', 'view.js', 'roompage.js', 'tiles.js']) assert.ok(!here(name).includes('aria-pressed'), name);
});

test('why a call ended and what it warns of: each has its own words, and says what to do', () => {
  const endings = [
    [{ reason: 'peer-unreachable' }, /offline.*try again/], [{ reason: 'peer-declined' }, /declined.*Write a message/], [{ reason: 'peer-busy' }, /another call.*Try again/],
    [{ reason: 'no-answer' }, /Nobody answered.*Try again/], [{ reason: 'refused', code: 'not_allowed' }, /does not let guests call.*operator/],
    [{ reason: 'link-lost', code: 'link-lost' }, /Check your network/], [{ reason: 'no-connection' }, /found no way.*Try another network/],
    [{ reason: 'no-connection', code: 'no-route' }, /no relay.*Try another network/], [{ reason: 'new-one', text: 'what the server says' }, /^What the server says\.$/],
  ];
  const said = endings.map(([ending, words]) => {
    const text = endingText({ text: 'of the server', ...ending });
    assert.match(text, words);
    return text;
  });
  assert.equal(new Set(said).size, endings.length);
  assert.match(warningText({ code: 'video-not-taken', text: '' }), /does not take the picture.*goes on/);
  assert.match(warningText({ code: 'camera-changed', text: 'Front' }), /another one: Front$/);
  assert.equal(warningText({ code: 'new-one', text: 'what the server says' }), 'What the server says.');
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

test('links in messages: web and XMPP addresses, without the marks around them', () => {
  const links = (text) => {
    const parts = partsOf(text);
    assert.equal(parts.join(''), text, 'the text stays as it was written');
    return parts.filter((_, index) => index % 2);
  };
  for (const [text, ...expected] of [
    ['no link, www.example.org and example.org/a are none'],
    ['See https://example.org/a?b=c&d#e.', 'https://example.org/a?b=c&d#e'],
    ['http://a.example, HTTPS://B.example!', 'http://a.example', 'HTTPS://B.example'],
    ['(https://en.example/wiki/Bell_(instrument)), yes', 'https://en.example/wiki/Bell_(instrument)'],
    ['<https://example.org> "https://example.org/x"', 'https://example.org', 'https://example.org/x'],
    ['https://[::1]:8443/x and https://münchen.example/straße', 'https://[::1]:8443/x', 'https://münchen.example/straße'],
    ['write to xmpp:alice@example.org?message; or call', 'xmpp:alice@example.org?message'],
    ['https://a.example\nhttps://b.example', 'https://a.example', 'https://b.example'],
    ['https:// http://. xmpp: https://)('],
  ]) assert.deepEqual(links(text), expected, text);
});

test('links in messages: hostile text is text', () => {
  for (const text of [
    'javascript:alert(1)', 'JaVaScRiPt://example.org/%0aalert(1)', 'data:text/html,<script>alert(1)</script>', 'vbscript:x', 'file:///etc/passwd', 'blob:https-x', 'view-source:x',
    'xhttps://example.org', 'https://', 'https://%zz/', 'https://bank.example@evil.example/', 'https://bank.example:443@evil.example', '<img src=x onerror=alert(1)>', '\u202ehttps',
  ]) assert.deepEqual(partsOf(text), [text], text);
  assert.deepEqual(partsOf('https://a.example/\u202egpj.exe')[1], 'https://a.example/', 'what turns the writing around ends it');
  assert.deepEqual(partsOf('https://a.example/"onclick=alert(1)')[1], 'https://a.example/');
  // Long ones take no time that is worth talking about.
  const began = performance.now();
  for (const piece of ['https://', 'https://(', 'https://.', '(', ')', 'https://a(b)', 'xmpp:.', 'https://a@']) assert.equal(partsOf(piece.repeat(20_000)).join('').length, piece.length * 20_000);
  assert.ok(performance.now() - began < 5000, `${performance.now() - began} ms`);
});
