// Keys and contacts in a browser whose storage fails in the ways that browsers have.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { Carillon } from './carillon.js';
import { FakeIndexedDB, made } from './fakes.mjs';
import { keysFor } from './identity.js';
import { clock, greet, opened, page, settle } from './setup.mjs';
import { openStore } from './store.js';

/** @type {FakeIndexedDB} */
let profile;

beforeEach(() => {
  profile = new FakeIndexedDB();
  globalThis.indexedDB = profile;
  mock.restoreAll();
  mock.method(console, 'warn', () => {});
});

const bob = { address: 'bob@example.org', state: 'approved', ticket: 'mac' };

test('what is kept is there for the next page', async () => {
  const store = openStore();
  const { publicKey } = await keysFor(store, 'Anna');
  await store.putContact('anna', bob);
  const next = openStore();
  assert.equal((await keysFor(next, 'Anna')).publicKey, publicKey);
  assert.deepEqual(await next.contacts('anna'), [bob]);
  await next.deleteContact('anna', bob.address);
  assert.deepEqual(await store.contacts('anna'), []);
  assert.equal(store.forgetful, false);
});

test('a database that the browser closed is opened again', async () => {
  const store = openStore();
  const { publicKey } = await keysFor(store, 'Anna');
  profile.opened[0].onversionchange();
  assert.equal((await keysFor(store, 'Anna')).publicKey, publicKey);
  assert.equal(profile.opened.length, 2);
  assert.equal(store.forgetful, false);
});

test('a database that fails for good: the page goes on with the keys and contacts that it has', async () => {
  const { publicKey } = await keysFor(openStore(), 'Anna');
  await openStore().putContact('anna', bob);
  const store = openStore();
  await keysFor(store, 'Anna');
  await store.contacts('anna');
  for (const database of profile.opened) database.broken = true;
  profile.answers = ['fail'];
  assert.deepEqual(await store.contacts('anna'), [bob]);
  assert.equal(store.forgetful, true);
  assert.equal((await keysFor(store, 'Anna')).publicKey, publicKey);
  await store.deleteContact('anna', bob.address);
  assert.deepEqual(await store.contacts('anna'), []);
});

test('storage that is refused, blocked, silent or missing: memory', async () => {
  for (const answers of [['fail', 'fail'], ['block', 'silence'], ['silence', 'silence'], undefined]) {
    profile.answers = answers ?? [];
    if (!answers) delete globalThis.indexedDB;
    const store = openStore();
    const keys = keysFor(store, 'Anna');
    for (let waited = 0; waited < 2; waited++) {
      await settle();
      clock.tick(3000);
    }
    const { publicKey } = await keys;
    assert.equal(store.forgetful, true, String(answers));
    assert.equal((await keysFor(store, 'Anna')).publicKey, publicKey);
  }
});

test('a page says whether its address lasts', async () => {
  const kept = await page(openStore());
  assert.equal(kept.carillon.lasting, true);
  profile.opened[0].broken = true;
  profile.answers = ['fail', 'fail'];
  const told = new Promise((resolve) => kept.carillon.on('state', resolve));
  kept.socket.say({ event: 'contact', ...bob });
  assert.equal(await told, 'attached');
  assert.equal(kept.carillon.lasting, false);
});

test('a store that fails is no end: whoever waits hears of it, and the next attempt succeeds', async () => {
  const store = openStore();
  let failures = 1;
  const contacts = store.contacts;
  store.contacts = async (name) => {
    if (failures-- > 0) throw new Error('disk');
    return contacts(name);
  };
  const carillon = new Carillon({ url: 'wss://x/ws', store, origin: 'https://x' });
  opened.push(carillon);
  const attached = assert.rejects(carillon.attach('Anna'), { code: 'failed' });
  made.sockets[0].say({ event: 'hello', nonce: 'n', domain: 'x', protocol: 1, ping_interval: 30 });
  await attached;
  assert.equal(carillon.state, 'away');
  assert.equal(carillon.name, 'Anna');
  clock.tick(1000);
  await greet();
  assert.equal(carillon.state, 'attached');
});
