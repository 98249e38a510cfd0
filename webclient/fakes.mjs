// The browser's part, made of plain objects, for tests.

import { webcrypto } from 'node:crypto';

// Every browser has these two; Node has them without a flag from version 19 on.
globalThis.crypto ??= webcrypto;
globalThis.CustomEvent ??= class CustomEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    this.detail = options.detail ?? null;
  }
};

const real = { setTimeout, clearTimeout, now: Date.now };

/** Time that passes only in tick(), for setTimeout, clearTimeout and Date.now between install() and restore(). */
export class FakeClock {
  constructor() {
    this.now = 1_700_000_000_000;
    this.timers = new Set();
  }

  install() {
    globalThis.setTimeout = (run, delay = 0, ...args) => {
      const timer = { due: this.now + delay, run: () => run(...args) };
      this.timers.add(timer);
      return timer;
    };
    globalThis.clearTimeout = (timer) => void this.timers.delete(timer);
    Date.now = () => this.now;
  }

  restore() {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    Date.now = real.now;
  }

  /** The machine sleeps: what fell due meanwhile runs when it wakes. */
  sleep(milliseconds) {
    this.now += milliseconds;
    this.tick(0);
  }

  /** Lets so many milliseconds pass: what falls due runs at its own time, also what is set meanwhile. */
  tick(milliseconds) {
    const end = this.now + milliseconds;
    for (;;) {
      // The sort is stable: of those due at once the one that was set first is first.
      const [timer] = [...this.timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (!timer) break;
      this.timers.delete(timer);
      this.now = Math.max(this.now, timer.due);
      timer.run();
    }
    this.now = end;
  }
}

/** What was made since the lists were last emptied. @type {{ sockets: FakeSocket[], connections: FakePeerConnection[], sounds: FakeAudioContext[] }} */
export const made = { sockets: [], connections: [], sounds: [] };

export class FakeSocket {
  constructor(url) {
    this.url = url;
    this.sent = [];
    this.waiting = [];
    made.sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
    for (const check of this.waiting.splice(0)) check();
  }

  close(code) {
    this.closed = code;
  }

  /** What the server says. */
  say(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  /** The next frame of that event that was not taken before; waits for it. */
  async take(event) {
    for (;;) {
      const index = this.sent.findIndex((frame) => frame.event === event);
      if (index >= 0) return this.sent.splice(index, 1)[0];
      await new Promise((resolve) => this.waiting.push(resolve));
    }
  }
}

export class FakeTrack extends EventTarget {
  constructor(kind) {
    super();
    this.kind = kind;
    this.enabled = true;
    this.muted = false;
    this.readyState = 'live';
  }

  stop() {
    this.readyState = 'ended';
  }

  /** The device is unplugged, or its permission taken back. */
  end() {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }
}

/** A database that works until it is `broken`: then transactions fail, as when the browser has closed it. */
class FakeDatabase {
  constructor(stores) {
    this.stores = stores;
    this.broken = false;
  }

  transaction(name) {
    if (this.broken) throw new Error('the connection is closed');
    const objects = this.stores[name];
    const transaction = {};
    let open = 0;
    const request = (result) => {
      const made = { result };
      open++;
      queueMicrotask(() => {
        made.onsuccess?.();
        if (--open === 0) transaction.oncomplete();
      });
      return made;
    };
    transaction.objectStore = () => ({
      get: (key) => request(objects.get(String(key))),
      getAll: ([profile]) => request([...objects.values()].filter((each) => each.profile === profile)),
      add: (value) => request(void objects.set(value.profile, value)),
      put: (value) => request(void objects.set(String([value.profile, value.address]), value)),
      delete: (key) => request(void objects.delete(String(key))),
    });
    return transaction;
  }

  close() {
    this.broken = true;
  }
}

/** What a profile of a browser keeps.  `answers` says what becomes of each open: `open`, `fail`, `block` or `silence`. */
export class FakeIndexedDB {
  constructor() {
    this.stores = { keys: new Map(), contacts: new Map() };
    this.answers = [];
    this.opened = [];
    globalThis.IDBKeyRange = { bound: (lower) => lower };
  }

  open() {
    const request = {};
    const answer = this.answers.shift() ?? 'open';
    queueMicrotask(() => {
      if (answer === 'fail') {
        request.error = new Error('no storage');
        request.onerror();
      }
      if (answer === 'block') request.onblocked();
      if (answer !== 'open') return;
      request.result = new FakeDatabase(this.stores);
      this.opened.push(request.result);
      request.onsuccess();
    });
    return request;
  }
}

/** An audio context that is asleep until it is resumed. */
export class FakeAudioContext {
  constructor() {
    Object.assign(this, { state: 'suspended', currentTime: 0, destination: {}, strokes: 0 });
    made.sounds.push(this);
  }
  async resume() { this.state = 'running'; }
  async suspend() { this.state = 'suspended'; }
  #gain() { return { value: 1, setTargetAtTime() {}, setValueAtTime() {}, exponentialRampToValueAtTime() {} }; }
  createGain() { return { gain: this.#gain(), connect: (to) => to, disconnect() {} }; }
  createOscillator() {
    return { frequency: {}, connect: (to) => to, start: () => { this.strokes++; }, stop() {} };
  }
}

export class FakeStream {
  constructor(kinds = []) {
    this.tracks = kinds.map((kind) => new FakeTrack(kind));
  }
  getTracks() { return this.tracks; }
  getAudioTracks() { return this.tracks.filter(({ kind }) => kind === 'audio'); }
  getVideoTracks() { return this.tracks.filter(({ kind }) => kind === 'video'); }
  addTrack(track) { this.tracks.push(track); }
  removeTrack(track) { this.tracks = this.tracks.filter((each) => each !== track); }
}

class FakeTransceiver {
  constructor(kind, direction, track) {
    const sender = { track, dtmf: { canInsertDTMF: kind === 'audio', toneBuffer: '', insertDTMF(tones) { this.toneBuffer = tones; } }, async replaceTrack(other) { sender.track = other; } };
    Object.assign(this, { mid: null, direction, currentDirection: null, sender, receiver: { track: new FakeTrack(kind) } });
  }
  stop() { this.direction = 'stopped'; }
}

export class FakePeerConnection {
  constructor(configuration) {
    Object.assign(this, { configuration, did: [], transceivers: [], signalingState: 'stable', connectionState: 'new', remoteDescription: null });
    made.connections.push(this);
  }
  setConfiguration(configuration) { this.configuration = { ...configuration }; }
  getSenders() { return this.transceivers.map(({ sender }) => sender); }
  getTransceivers() { return this.transceivers; }
  async getStats() { return new Map(); }
  addTransceiver(what, { direction }) {
    const kind = what.kind ?? what;
    this.did.push(`${direction} ${kind}`);
    const added = new FakeTransceiver(kind, direction, what.kind ? what : null);
    this.transceivers.push(added);
    return added;
  }
  restartIce() { this.did.push('restart'); }
  async createOffer() {
    return { type: 'offer', sdp: ['our offer', ...this.transceivers.map((each, index) => `a=mid:${each.mid ?? index}`), ''].join('\r\n') };
  }
  async createAnswer() { return { type: 'answer', sdp: 'our answer' }; }
  async setLocalDescription({ type }) {
    if (type === 'rollback') this.did.push(type);
    this.signalingState = type === 'offer' ? 'have-local-offer' : 'stable';
    if (type === 'rollback') return;
    if (type === 'offer') this.transceivers.forEach((each, index) => { each.mid ??= String(index); });
    else this.#agree(this.agreed ?? '');
    // As in browsers, candidates may come before whoever set the description hears that it was set.
    this.onicecandidate({ candidate: { candidate: 'candidate:early', sdpMid: '0', sdpMLineIndex: 0 } });
  }
  /** An offer is the kinds of its sections (or SDP), an answer what the other side does not take (no-KIND), or rejects for good (reject-KIND). */
  async setRemoteDescription({ type, sdp }) {
    if (sdp === 'bad') throw new Error('no SDP');
    this.did.push(`remote ${type}`);
    // Browsers keep of a description only what they know.
    this.remoteDescription = { type, sdp: sdp.replace(/^a=content.*\r\n/gm, '') };
    this.signalingState = type === 'offer' ? 'have-remote-offer' : 'stable';
    if (type !== 'offer') return this.#agree(sdp);
    // A rolled back offer takes the names of its sections with it.
    for (const each of this.transceivers) if (!each.currentDirection) each.mid = null;
    const kinds = sdp.includes('m=') ? [...sdp.matchAll(/^m=(\w+)/gm)].map(([, kind]) => kind) : sdp.split(' ');
    const named = this.transceivers.filter(({ mid }) => mid !== null);
    kinds.slice(named.length).forEach((kind, index) => {
      const added = new FakeTransceiver(kind, 'recvonly', null);
      added.mid = String(named.length + index);
      this.transceivers.push(added);
      this.ontrack?.({ track: added.receiver.track, transceiver: added, streams: [] });
    });
  }
  #agree(refused) {
    for (const each of this.transceivers) {
      if (each.mid === null || each.direction === 'stopped') continue;
      const { kind } = each.receiver.track;
      if (refused.split(' ').includes(`reject-${kind}`)) each.direction = 'stopped';
      each.currentDirection = refused.split(' ').includes(`no-${kind}`) ? 'inactive' : each.direction;
    }
  }
  async addIceCandidate({ candidate }) {
    if (!this.remoteDescription) throw new Error('too early');
    this.did.push(`candidate ${candidate}`);
    if (candidate === 'bad') throw new Error('refused');
  }
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }
  close() { this.closed = true; }
}

/**
 * Gives the browser devices of these kinds, and a place to keep which were chosen.  What it returns says what was asked for, and takes them away: `fail` is the
 * name of the DOMException that the next requests meet, by kind.
 */
export function devicesOf(kinds, labels = {}) {
  const media = new EventTarget();
  const state = { asked: [], fail: {}, list: kinds.map((kind) => ({ kind: `${kind}input`, deviceId: kind, label: labels[kind] ?? kind })), media };
  const refuse = (name) => { throw Object.assign(new Error(name), { name }); };
  media.enumerateDevices = async () => state.list;
  media.getUserMedia = async (constraints) => {
    state.asked.push(constraints);
    const wanted = Object.keys(constraints);
    for (const kind of wanted) {
      if (state.fail[kind]) refuse(state.fail[kind]);
      if (!state.list.some((each) => each.kind === `${kind}input`)) refuse('NotFoundError');
    }
    return new FakeStream(wanted);
  };
  media.getDisplayMedia = async () => (state.fail.screen ? refuse(state.fail.screen) : new FakeStream(['video']));
  Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices: media, languages: ['en'] }, configurable: true, writable: true });
  const kept = new Map();
  globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
  return state;
}
