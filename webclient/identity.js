// Who this browser is: a key per name that never leaves the browser, and the contacts that may see its presence.

import { CarillonError } from './events.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };

/** One who asks to see us online, or one who may and whose ticket proves it. @typedef {{ address: string, state: 'asks' | 'approved', ticket?: string }} Contact */
/** @typedef {{ privateKey: CryptoKey, publicKey: CryptoKey }} Keys */

/**
 * Where keys and contacts are kept.  `profile` is the name in the form of profileOf.
 * @typedef {object} Store
 * @property {(profile: string) => Promise<Keys | undefined>} keys
 * @property {(profile: string, keys: Keys) => Promise<Keys>} addKeys keeps these unless there are some; returns those kept
 * @property {(profile: string) => Promise<Contact[]>} contacts
 * @property {(profile: string, contact: Contact) => Promise<void>} putContact
 * @property {(profile: string, address: string) => Promise<void>} deleteContact
 */

/**
 * The unpadded URL-safe form of RFC 4648 section 5.
 * @param {ArrayBuffer | Uint8Array} bytes
 */
export function base64url(bytes) {
  let binary = '';
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/**
 * One name is one key however it is written: the server compares names without regard to case.
 * @param {string} name
 */
export function profileOf(name) {
  return name.trim().normalize('NFC').toLowerCase();
}

/**
 * The octets that an attach signs: bound to this server, this page's origin and this one connection.
 * @param {{ domain: string, origin: string, nonce: string, name: string }} of
 */
export function signingInput({ domain, origin, nonce, name }) {
  return new TextEncoder().encode(['carillon attach 1', domain, origin, nonce, name].join('\n'));
}

/**
 * The keys of that name, made on first use.  The private one cannot be exported, not even by this page.
 * @param {Store} store
 * @param {string} name
 * @returns {Promise<Keys>}
 */
export async function keysFor(store, name) {
  const profile = profileOf(name);
  const known = await store.keys(profile);
  if (known) return known;
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) throw new CarillonError('insecure-context', 'This page has to be opened by https to make calls.');
  const { privateKey, publicKey } = await subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  return store.addKeys(profile, { privateKey, publicKey });
}

/**
 * The key and signature fields of an attach.
 * @param {Keys} keys
 * @param {{ domain: string, origin: string, nonce: string, name: string }} of
 */
export async function sign(keys, of) {
  const key = await crypto.subtle.exportKey('raw', keys.publicKey);
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keys.privateKey, signingInput(of));
  return { key: base64url(key), signature: base64url(signature) };
}

/**
 * The store of this browser, or one in memory where the browser keeps nothing (some private windows).
 * @returns {Promise<Store>}
 */
export async function openStore() {
  try {
    return databaseStore(await openDatabase());
  } catch {
    return memoryStore();
  }
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('carillon', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('keys', { keyPath: 'profile' });
      request.result.createObjectStore('contacts', { keyPath: ['profile', 'address'] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {IDBDatabase} database
 * @returns {Store}
 */
function databaseStore(database) {
  /**
   * One transaction: resolves with the result of the last request once it is on disk.
   * @param {'keys' | 'contacts'} name
   * @param {IDBTransactionMode} mode
   * @param {(objects: IDBObjectStore, done: (result: any) => void) => void} work
   * @returns {Promise<any>}
   */
  const transact = (name, mode, work) => new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode);
    /** @type {any} */
    let result;
    work(transaction.objectStore(name), (value) => { result = value; });
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
  return {
    keys: (profile) => transact('keys', 'readonly', (objects, done) => {
      const get = objects.get(profile);
      get.onsuccess = () => done(get.result);
    }),
    // Two tabs may make a key at once; the first one in wins, so both get the same address.
    addKeys: (profile, keys) => transact('keys', 'readwrite', (objects, done) => {
      const get = objects.get(profile);
      get.onsuccess = () => {
        if (get.result) return done(get.result);
        objects.add({ profile, ...keys });
        done(keys);
      };
    }),
    contacts: (profile) => transact('contacts', 'readonly', (objects, done) => {
      const get = objects.getAll(IDBKeyRange.bound([profile], [profile, []]));
      get.onsuccess = () => done(get.result.map(({ profile: _, ...contact }) => contact));
    }),
    putContact: (profile, contact) => transact('contacts', 'readwrite', (objects) => {
      objects.put({ profile, ...contact });
    }),
    deleteContact: (profile, address) => transact('contacts', 'readwrite', (objects) => {
      objects.delete([profile, address]);
    }),
  };
}

/**
 * A store that lasts as long as the page.
 * @returns {Store}
 */
export function memoryStore() {
  /** @type {Map<string, Keys>} */
  const allKeys = new Map();
  /** @type {Map<string, Map<string, Contact>>} */
  const allContacts = new Map();
  const contactsOf = (/** @type {string} */ profile) => {
    const contacts = allContacts.get(profile) ?? new Map();
    allContacts.set(profile, contacts);
    return contacts;
  };
  return {
    keys: async (profile) => allKeys.get(profile),
    addKeys: async (profile, keys) => {
      if (!allKeys.has(profile)) allKeys.set(profile, keys);
      return allKeys.get(profile) ?? keys;
    },
    contacts: async (profile) => [...contactsOf(profile).values()],
    putContact: async (profile, contact) => void contactsOf(profile).set(contact.address, contact),
    deleteContact: async (profile, address) => void contactsOf(profile).delete(address),
  };
}
