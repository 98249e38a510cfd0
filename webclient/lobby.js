// The lobby: who I am, whom I call, where I can be called, and my contacts.

import { block, blocked, isBlocked } from './blocked.js';
import { addressIn, t } from './strings.js';
import { any, button, complain, element, errorText, hold, input, say, setText, show } from './view.js';

/** @typedef {import('./carillon.js').Carillon} Carillon */
/** @typedef {import('./carillon.js').Contact} Contact */

/** @param {Carillon} carillon */
export function showLink(carillon) {
  const state = carillon.state === 'attached' && !carillon.linkUp ? 'down' : carillon.state;
  document.body.dataset.link = state;
  setText('link', t(`link.${state}`));
  show('unkept', !carillon.lasting);
}

/** @param {Carillon} carillon */
export function showAccount(carillon) {
  const { account } = carillon;
  show('reach-none', !account);
  show('reach', account !== undefined);
  show('people', account !== undefined);
  show('policy', account?.mayCall === false);
  setText('my-address', account?.bare ?? '');
  if (!account) return;
  // RFC 5122: what is not allowed in a node is percent-encoded; the @ between the parts stays.
  const uri = `xmpp:${account.bare.split('@').map(encodeURIComponent).join('@')}`;
  element('my-link', HTMLAnchorElement).href = uri;
  const qr = element('qr', HTMLImageElement);
  const source = `qr.svg?address=${encodeURIComponent(account.bare)}`;
  if (qr.getAttribute('src') !== source) qr.setAttribute('src', source);
}

/**
 * The address to call, or undefined after having said that it is none.
 * @returns {string | undefined}
 */
export function addressToCall() {
  const address = addressIn(input('address').value);
  complain(input('address'), 'call-error', address ? '' : t('error.address'));
  if (!address) input('address').focus();
  return address;
}

/**
 * Whether there is a name; says that one is needed if there is none.
 */
export function nameGiven() {
  const name = input('name').value.trim();
  complain(input('name'), 'name-error', name ? '' : t('error.name'));
  if (!name) input('name').focus();
  return name !== '';
}

/** @param {unknown} error */
export function showNameError(error) {
  complain(input('name'), 'name-error', errorText(error));
  input('name').focus();
}

/**
 * While the browser or the server is being asked: says so, and takes no second click.
 * @param {string} [text]
 */
export function showBusy(text = '') {
  // The lobby's line, and that of the ended screen: one of the two is on the screen.
  say('busy', text);
  say('ended-busy', text);
  hold(['call-video', 'call-audio', 'preview', 'again'], text !== '');
}

/** @param {Carillon} carillon */
export function wireReach(carillon) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  button('copy').onclick = async () => {
    try {
      await navigator.clipboard.writeText(carillon.account?.bare ?? '');
      setText('copy-text', t('reach.copied'));
      clearTimeout(timer);
      timer = setTimeout(() => setText('copy-text', t('reach.copy')), 2500);
    } catch {
      // Without leave to write the clipboard: select it, so that one key copies it.
      globalThis.getSelection()?.selectAllChildren(any('my-address'));
    }
  };
  element('tell-form', HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    void tell(carillon);
  };
}

/** @param {Carillon} carillon */
async function tell(carillon) {
  const field = input('tell-address');
  const address = addressIn(field.value);
  say('tell-result');
  complain(field, 'tell-error', address ? '' : t('error.address'));
  if (!address) return field.focus();
  button('tell').disabled = true;
  try {
    await carillon.tell(address);
    field.value = '';
    say('tell-result', t('tell.done', { address }));
  } catch (error) {
    complain(field, 'tell-error', errorText(error));
  } finally {
    button('tell').disabled = false;
  }
}

/** @typedef {{ address: string, name?: string, state: Contact['state'] | 'blocked' }} Listed */
/**
 * What a press on a contact's button does.
 * @typedef {object} Deeds
 * @property {(address: string, video: boolean) => void} call
 * @property {(address: string) => void} write
 */

/**
 * @param {Carillon} carillon
 * @param {Deeds} deeds
 */
export function showContacts(carillon, deeds) {
  /** @type {Listed[]} */
  const listed = [...carillon.contacts.filter(({ address }) => !isBlocked(address)), ...blocked().map((address) => (/** @type {const} */ ({ address, state: 'blocked' })))];
  show('contacts-block', listed.length > 0);
  const states = ['asks', 'approved', 'blocked'];
  listed.sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state) || a.address.localeCompare(b.address));
  any('contacts').replaceChildren(...listed.map((contact) => contactItem(carillon, contact, deeds)));
}

/**
 * @param {Carillon} carillon
 * @param {Listed} contact
 * @param {Deeds} deeds
 */
function contactItem(carillon, contact, deeds) {
  const item = document.createElement('li');
  item.dataset.address = contact.address;
  item.dataset.state = contact.state;
  const words = document.createElement('p');
  const address = document.createElement('strong');
  address.textContent = contact.address;
  const standing = document.createElement('span');
  standing.textContent = t(`contacts.${contact.state}`);
  words.append(address, contact.name ? ` \u2068${contact.name}\u2069 ` : ' ', standing);
  const actions = document.createElement('div');
  actions.className = 'row';
  const act = (/** @type {() => Promise<void>} */ work) => async () => {
    for (const each of actions.querySelectorAll('button')) each.disabled = true;
    await work().catch((error) => {
      standing.textContent = errorText(error);
      for (const each of actions.querySelectorAll('button')) each.disabled = false;
    });
  };
  const bar = (/** @type {boolean} */ on) => () => {
    block(contact.address, on);
    showContacts(carillon, deeds);
  };
  if (contact.state === 'blocked') actions.append(actionButton('contacts.unblock', 'unblock', contact, bar(false)));
  else if (contact.state === 'asks') {
    actions.append(
      actionButton('contacts.allow', 'allow', contact, act(() => carillon.approve(contact.address))),
      actionButton('contacts.ignore', 'ignore', contact, act(() => carillon.refuse(contact.address))),
      actionButton('contacts.block', 'block', contact, bar(true)),
    );
  } else {
    actions.append(
      actionButton('call.audio', 'call', contact, () => deeds.call(contact.address, false)),
      actionButton('call.video', 'video', contact, () => deeds.call(contact.address, true)),
      actionButton('contacts.message', 'write', contact, () => deeds.write(contact.address)),
      actionButton('contacts.remove', 'remove', contact, act(() => carillon.forget(contact.address))),
    );
  }
  item.append(words, actions);
  return item;
}

/**
 * @param {import('./strings.js').Key} key
 * @param {string} action
 * @param {Listed} contact
 * @param {() => void} onclick
 */
function actionButton(key, action, contact, onclick) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = t(key);
  made.dataset.action = action;
  made.setAttribute('aria-label', t('contacts.of', { action: t(key), address: contact.address }));
  made.onclick = onclick;
  return made;
}

/** The address in ?to= or #to=, as links carry it. */
export function linkedAddress() {
  const from = (/** @type {string} */ part) => new URLSearchParams(part.slice(1)).get('to');
  return addressIn(from(location.search) ?? from(location.hash) ?? '') ?? '';
}
