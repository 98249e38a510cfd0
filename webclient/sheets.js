// Dialogs that a person opens and closes, one at a time.

import { element } from './view.js';

const sheets = () => [...document.querySelectorAll('dialog.sheet')].filter((each) => each instanceof HTMLDialogElement);

/** @param {string} id */
export function openSheet(id) {
  closeSheets();
  element(id, HTMLDialogElement).showModal();
}

export function closeSheets() {
  for (const each of sheets()) each.close();
}

/** @param {string} id */
export const sheetOpen = (id) => element(id, HTMLDialogElement).open;

/** A click beside a sheet closes it, as Escape does. */
export function wireSheets() {
  for (const each of sheets()) {
    each.onclick = ({ target }) => { if (target === each || (target instanceof Element && target.closest('[data-close]'))) each.close(); };
  }
}
