// The way into a room: by its name, or by one that nobody guesses.

import { element, input } from './view.js';

/** Wires the form that asks for a room's name. */
export function wireMeet() {
  element('meet-form', HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    const random = () => Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => (byte % 36).toString(36)).join('');
    // A name is one part of the path, and no step in it.
    const name = input('meet-name').value.trim().replaceAll('/', '-').replace(/^\.+$/, '') || random();
    location.assign(new URL(`r/${encodeURIComponent(name)}`, import.meta.url));
  };
}
