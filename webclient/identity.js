// Who this browser is: a key per name that never leaves the browser, and the contacts that may see its presence.

import { CarillonError } from './events.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };

/** One who asks to see us online, or one who may and whose ticket proves it. @typedef {{ address: string, state: 'asks' | 'approved', name?: string, ticket?: string }} Contact */
/** @typedef {{ privateKey: CryptoKey, publicKey: CryptoKey }} Keys */
/** @typedef {import('./store.js').Store} Store */

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

/** Whose address that is, without the device. @param {string} address */
export const bareOf = (address) => (address.split('/')[0] ?? '').toLowerCase();

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
