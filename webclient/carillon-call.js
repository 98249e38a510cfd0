// <carillon-call to="alice@example.org">: a button that calls an XMPP address, on every site that the server's operator has listed.
//
//   <script type="module" src="https://call.example.org/carillon-call.js"></script>
//   <carillon-call to="alice@example.org" label="Call us"></carillon-call>

import { Carillon } from './carillon.js';

/** @typedef {import('./call.js').Call} Call */
/** The `detail` of each event. @typedef {import('./elements.js').CarillonCallEvents} CarillonCallEvents */
/** What is shown. @typedef {'idle' | 'asking' | 'attaching' | 'dialing' | 'ringing' | 'connecting' | 'connected'} ButtonState */

const en = {
  'call': 'Call', 'hang-up': 'Hang up', 'mute': 'Mute', 'unmute': 'Unmute', 'camera-off': 'Stop camera', 'camera-on': 'Start camera',
  'remote': 'Picture of the other side', 'own': 'Your own picture',
  'asking': 'Your browser asks for your microphone or camera: please allow it.', 'attaching': 'Connecting', 'dialing': 'Calling', 'ringing': 'Ringing', 'connecting': 'Connecting',
  'connected': 'You are in a call.', 'interrupted': 'The connection is interrupted. Waiting for it to come back.', 'muted': 'You are muted.', 'held': 'You are on hold.',
  'denied': 'The browser does not let this page use the microphone. Allow it in the site settings and try again.', 'no-microphone': 'No microphone was found. Plug one in and try again.',
  'in-use': 'Another program is using the microphone. Close it and try again.', 'media-failed': 'The microphone could not be opened.', 'insecure-context': 'Calls work only on pages opened by https.',
  'link-lost': 'There is no connection to the call service. Check your network and try again.', 'not_allowed': 'This address cannot be called from here.',
  'cool_down': 'You called a moment ago. Try again in a minute.', 'link_down': 'The call service is away at the moment. Try again in a minute.',
  'origin-refused': 'The call service does not admit this site yet. Its operator has to add to the configuration: {key}',
  'peer-unreachable': 'Nobody is there at the moment.', 'peer-declined': 'The call was declined.', 'peer-busy': 'The line is busy. Try again later.', 'no-answer': 'Nobody answered. Try again later.',
  'no-connection': 'Sound found no way between you and the other side. Try another network.', 'connection-lost': 'The connection broke. Call again.', 'peer-hung-up': 'The other side ended the call.', 'hung-up': 'The call is over.',
  'cancelled': 'You cancelled the call.', 'incompatible': 'The other side’s app and your browser cannot call each other.', 'failed': 'Something went wrong. Try again.',
};
/** @type {Record<string, Record<keyof typeof en, string>>} */
export const texts = {
  en,
  de: {
    'call': 'Anrufen', 'hang-up': 'Auflegen', 'mute': 'Stumm schalten', 'unmute': 'Ton einschalten', 'camera-off': 'Kamera aus', 'camera-on': 'Kamera an',
    'remote': 'Bild der Gegenseite', 'own': 'Ihr eigenes Bild',
    'asking': 'Ihr Browser fragt nach Mikrofon oder Kamera: Bitte erlauben Sie es.', 'attaching': 'Verbinden', 'dialing': 'Anruf', 'ringing': 'Es klingelt', 'connecting': 'Verbinden',
    'connected': 'Sie sind im Gespräch.', 'interrupted': 'Die Verbindung ist unterbrochen. Warten, bis sie wiederkommt.', 'muted': 'Sie sind stumm geschaltet.', 'held': 'Sie werden gehalten.',
    'denied': 'Der Browser lässt diese Seite nicht ans Mikrofon. Erlauben Sie es in den Einstellungen der Website und versuchen Sie es noch einmal.', 'no-microphone': 'Kein Mikrofon gefunden. Schließen Sie eines an und versuchen Sie es noch einmal.',
    'in-use': 'Ein anderes Programm benutzt das Mikrofon. Schließen Sie es und versuchen Sie es noch einmal.', 'media-failed': 'Das Mikrofon ließ sich nicht öffnen.', 'insecure-context': 'Anrufe gehen nur auf Seiten, die mit https geöffnet sind.',
    'link-lost': 'Keine Verbindung zum Anrufdienst. Prüfen Sie Ihr Netz und versuchen Sie es noch einmal.', 'not_allowed': 'Diese Adresse kann von hier nicht angerufen werden.',
    'cool_down': 'Sie haben gerade eben angerufen. Versuchen Sie es in einer Minute noch einmal.', 'link_down': 'Der Anrufdienst ist gerade nicht da. Versuchen Sie es in einer Minute noch einmal.',
    'origin-refused': 'Der Anrufdienst lässt diese Website noch nicht zu. Sein Betreiber muss in die Konfiguration eintragen: {key}',
    'peer-unreachable': 'Im Moment ist niemand da.', 'peer-declined': 'Der Anruf wurde abgelehnt.', 'peer-busy': 'Es ist besetzt. Versuchen Sie es später noch einmal.', 'no-answer': 'Niemand hat abgenommen. Versuchen Sie es später noch einmal.',
    'no-connection': 'Der Ton fand keinen Weg zwischen Ihnen und der Gegenseite. Versuchen Sie ein anderes Netz.', 'connection-lost': 'Die Verbindung ist abgebrochen. Rufen Sie noch einmal an.', 'peer-hung-up': 'Die Gegenseite hat aufgelegt.', 'hung-up': 'Das Gespräch ist beendet.',
    'cancelled': 'Sie haben den Anruf abgebrochen.', 'incompatible': 'Die App der Gegenseite und Ihr Browser können einander nicht anrufen.', 'failed': 'Etwas ging schief. Versuchen Sie es noch einmal.',
  },
  fr: {
    'call': 'Appeler', 'hang-up': 'Raccrocher', 'mute': 'Couper le micro', 'unmute': 'Rétablir le micro', 'camera-off': 'Arrêter la caméra', 'camera-on': 'Démarrer la caméra',
    'remote': 'Image de votre correspondant', 'own': 'Votre propre image',
    'asking': 'Votre navigateur demande l’accès au micro ou à la caméra : veuillez l’autoriser.', 'attaching': 'Connexion', 'dialing': 'Appel en cours', 'ringing': 'Ça sonne', 'connecting': 'Connexion',
    'connected': 'Vous êtes en communication.', 'interrupted': 'La connexion est interrompue. En attente de son retour.', 'muted': 'Votre micro est coupé.', 'held': 'Vous êtes en attente.',
    'denied': 'Le navigateur n’autorise pas cette page à utiliser le micro. Autorisez-le dans les réglages du site et réessayez.', 'no-microphone': 'Aucun micro trouvé. Branchez-en un et réessayez.',
    'in-use': 'Un autre programme utilise le micro. Fermez-le et réessayez.', 'media-failed': 'Impossible d’ouvrir le micro.', 'insecure-context': 'Les appels ne marchent que sur des pages ouvertes en https.',
    'link-lost': 'Pas de connexion au service d’appel. Vérifiez votre réseau et réessayez.', 'not_allowed': 'Cette adresse ne peut pas être appelée d’ici.',
    'cool_down': 'Vous venez d’appeler. Réessayez dans une minute.', 'link_down': 'Le service d’appel est absent pour le moment. Réessayez dans une minute.',
    'origin-refused': 'Le service d’appel n’admet pas encore ce site. Son opérateur doit ajouter à la configuration : {key}',
    'peer-unreachable': 'Il n’y a personne pour le moment.', 'peer-declined': 'L’appel a été refusé.', 'peer-busy': 'La ligne est occupée. Réessayez plus tard.', 'no-answer': 'Personne n’a répondu. Réessayez plus tard.',
    'no-connection': 'Le son n’a pas trouvé de chemin entre vous et votre correspondant. Essayez un autre réseau.', 'connection-lost': 'La connexion a été coupée. Rappelez.', 'peer-hung-up': 'Votre correspondant a raccroché.', 'hung-up': 'L’appel est terminé.',
    'cancelled': 'Vous avez annulé l’appel.', 'incompatible': 'L’application de votre correspondant et votre navigateur ne peuvent pas s’appeler.', 'failed': 'Un problème est survenu. Réessayez.',
  },
};

// The site's own rules about styles and scripts are kept: nothing is inline, and nothing is fetched.
const STYLE = `
:host { display: inline-block; max-width: 100%; font: var(--carillon-font, inherit); color: var(--carillon-text, inherit); }
:host([hidden]), [hidden] { display: none !important; }
button { font: inherit; min-height: 44px; min-width: 44px; padding: 0 1.2em; border: 0; border-radius: var(--carillon-radius, 22px); cursor: pointer;
  background: var(--carillon-button, #17653f); color: var(--carillon-button-text, #fff); }
button:focus-visible { outline: 3px solid var(--carillon-focus, #1a5fd0); outline-offset: 2px; }
button:disabled { opacity: .6; cursor: default; }
.hang-up { background: var(--carillon-hang-up, #b3261e); color: #fff; }
.controls { display: flex; flex-wrap: wrap; gap: .5em; }
.status { margin: .4em 0; }
.status:empty { margin: 0; }
.stage { position: relative; margin: .4em 0; }
video { display: block; width: 100%; border-radius: var(--carillon-radius, 12px); background: #000; }
.own { position: absolute; right: 3%; bottom: 4%; width: 24%; }
.stage:not(.picture) .remote { position: absolute; width: 1px; height: 1px; opacity: 0; }
.stage:not(.picture) .own { position: static; width: 10em; }
@media (forced-colors: active) { button { border: 1px solid; } }
`;

/**
 * Attributes: `to`, the address; `label` of the button; `media`, `audio` (the default) or `video`; `server`, the address of the Carillon server, by
 * default where this script comes from; `name`, what the visitor is called, `visitor` by default; `lang`.
 *
 * Events, which bubble: `carillon-state` with `{ state, call }`, `carillon-ended` with the Ending, `carillon-error` with `{ code, text }`.
 *
 * Parts: `button`, `status`, `controls`, `mute`, `camera`, `hang-up`, `stage`, `remote`, `own`.
 */
export class CarillonCall extends HTMLElement {
  static observedAttributes = ['label', 'to', 'lang'];

  /** @type {ButtonState} */
  state = 'idle';
  /** The call under way. @type {Call | undefined} */
  current;

  /** @type {Carillon | undefined} */
  #carillon;
  /** The sentence of an ending or an error, by its key. @type {{ key: string, text: string }} */
  #last = { key: '', text: '' };
  #parts;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    adopt(root);
    const make = (/** @type {string} */ tag, /** @type {string} */ part, /** @type {Node} */ parent) => {
      const made = document.createElement(tag);
      made.className = part;
      made.setAttribute('part', part);
      parent.appendChild(made);
      return made;
    };
    const picture = (/** @type {string} */ part) => {
      const video = /** @type {HTMLVideoElement} */ (make('video', part, stage));
      video.autoplay = video.playsInline = true;
      return video;
    };
    const press = (/** @type {string} */ part, /** @type {Node} */ parent, /** @type {() => void} */ act) => {
      const button = /** @type {HTMLButtonElement} */ (make('button', part, parent));
      button.type = 'button';
      button.onclick = act;
      return button;
    };
    const button = press('button', root, () => void this.call());
    const status = make('p', 'status', root);
    status.setAttribute('role', 'status');
    const stage = make('div', 'stage', root);
    const remote = picture('remote');
    const own = picture('own');
    own.muted = true;
    const controls = make('div', 'controls', root);
    const mute = press('mute', controls, () => this.current?.mute(!this.current.muted));
    const camera = press('camera', controls, () => this.current?.turnCameraOff(!this.current.cameraOff));
    const hangUp = press('hang-up', controls, () => this.hangUp());
    this.#parts = { button, status, stage, remote, own, controls, mute, camera, hangUp };
  }

  connectedCallback() {
    this.#render();
  }

  disconnectedCallback() {
    this.hangUp();
    this.#close();
  }

  attributeChangedCallback() {
    this.#render();
  }

  /** Calls, as a click on the button does.  Browsers may want a click before they let a page play sound. */
  async call() {
    const to = this.getAttribute('to');
    if (this.state !== 'idle' || !to) return;
    this.#last = { key: '', text: '' };
    const carillon = this.#carillon = this.#connect();
    /** @type {MediaStream | undefined} */
    let stream;
    try {
      this.#enter('asking');
      stream = await carillon.devices.open({ video: this.getAttribute('media') === 'video' });
      if (carillon !== this.#carillon) throw undefined;
      this.#enter('attaching');
      await carillon.attach(this.getAttribute('name') || 'visitor');
      if (carillon !== this.#carillon) throw undefined;
    } catch (error) {
      for (const track of stream?.getTracks() ?? []) track.stop();
      // Given up meanwhile.
      if (carillon === this.#carillon) this.#failed(/** @type {import('./events.js').CarillonError} */ (error));
      return;
    }
    this.#follow(carillon.dial(to, stream));
  }

  hangUp() {
    if (this.current) return this.current.hangUp();
    this.#close();
    this.#enter('idle');
  }

  #connect() {
    const server = new URL(this.getAttribute('server') ?? import.meta.url, document.baseURI);
    if (!/\/[^/]+\.js$|\/$/.test(server.pathname)) server.pathname += '/';
    const carillon = new Carillon({ url: new URL('ws', server).href.replace(/^http/, 'ws') });
    // A visitor's address is for calling only.
    carillon.on('incoming', (call) => call.decline());
    return carillon;
  }

  /** @param {Call} call */
  #follow(call) {
    this.current = call;
    call.on('change', () => {
      if (call === this.current && call.state !== 'ended') this.#enter(/** @type {ButtonState} */ (call.state));
    });
    call.on('ended', (ending) => {
      this.current = undefined;
      this.#close();
      const key = [ending.code, ending.reason].find((each) => each && each in en) ?? '';
      this.#last = { key, text: ending.text };
      this.#enter('idle');
      this.#tell('carillon-ended', ending);
    });
    this.#enter('dialing');
  }

  /** @param {import('./events.js').CarillonError} error */
  #failed({ code = 'failed', message, description }) {
    this.#close();
    this.#last = { key: code in en ? code : '', text: description || message };
    this.#enter('idle');
    this.#tell('carillon-error', { code, text: this.#parts.status.textContent });
  }

  #close() {
    this.#carillon?.close();
    this.#carillon = undefined;
  }

  /** @param {ButtonState} state */
  #enter(state) {
    const changed = state !== this.state;
    const focused = this.shadowRoot?.activeElement;
    this.state = state;
    this.#render();
    if (!changed) return;
    // Not lost with the button that was pressed.
    if (focused instanceof HTMLElement && focused.closest('[hidden]')) (state === 'idle' ? this.#parts.button : this.#parts.hangUp).focus();
    this.#tell('carillon-state', { state, call: this.current });
  }

  /**
   * @template {keyof CarillonCallEvents} K
   * @param {K} type
   * @param {CarillonCallEvents[K]} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  #render() {
    const { button, status, stage, remote, own, controls, mute, camera, hangUp } = this.#parts;
    const { state, current: call } = this;
    const t = this.#catalogue();
    button.textContent = this.getAttribute('label') || t.call;
    button.hidden = state !== 'idle';
    button.disabled = !this.getAttribute('to');
    controls.hidden = state === 'idle';
    const talking = state === 'connecting' || state === 'connected';
    mute.hidden = !call || !talking;
    mute.textContent = call?.muted ? t.unmute : t.mute;
    camera.hidden = !call?.hasVideo || !talking;
    camera.textContent = call?.cameraOff ? t['camera-on'] : t['camera-off'];
    hangUp.textContent = t['hang-up'];
    stage.hidden = !call;
    stage.classList.toggle('picture', call?.hasRemoteVideo ?? false);
    remote.setAttribute('aria-label', t.remote);
    own.setAttribute('aria-label', t.own);
    own.hidden = !call?.hasVideo || call.cameraOff;
    play(remote, call?.remoteStream);
    play(own, call?.hasVideo ? call.localStream : undefined);
    write(status, this.#sentence(t));
  }

  /** @param {typeof en} t */
  #sentence(t) {
    const { state, current: call } = this;
    const { key, text } = this.#last;
    if (state === 'idle') return key ? t[/** @type {keyof typeof en} */ (key)].replace('{key}', `origins = ["${location.origin}"]`) : text;
    if (call?.interrupted) return t.interrupted;
    if (call?.remote.held) return t.held;
    if (call?.muted && state === 'connected') return t.muted;
    return t[state];
  }

  #catalogue() {
    const asked = [this.closest('[lang]')?.getAttribute('lang') ?? '', ...navigator.languages].map((each) => each.split('-')[0] ?? '');
    return texts[asked.find((each) => each in texts) ?? 'en'] ?? en;
  }
}

/** @param {ShadowRoot} root */
function adopt(root) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
}

/**
 * @param {HTMLVideoElement} video
 * @param {MediaStream | undefined} stream
 */
function play(video, stream) {
  // An element that was given a stream before it had tracks may stay silent.
  const source = stream?.getTracks().length ? stream : null;
  if (video.srcObject === source) return;
  video.srcObject = source;
  if (source) video.play().catch(() => {});
}

/**
 * @param {HTMLElement} target
 * @param {string} text
 */
function write(target, text) {
  // What is written anew is read aloud anew.
  if (target.textContent !== text) target.textContent = text;
}

if (!customElements.get('carillon-call')) customElements.define('carillon-call', CarillonCall);
