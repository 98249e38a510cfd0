// When a call whose media broke looks for another network path.

import { digest } from './stats.js';

// A path that is interrupted often comes back by itself; and not both sides should look for another one at once.
const PATIENCE = 3000;
const COURTESY = 2000;
const RESTART_GAP = 8000;
// Browsers notice only seconds later that a network is gone.
const MOVING = 15_000;
// A pair is in use half a second after a restart, on a busy machine later.
const LOOK = 2500;
// What they restart that long after we did, and not at once, may be because they have no pair.
const ECHO = 30_000;

export class Recovery {
  /** Media broke and may come back. */
  interrupted = false;
  /** Whether the other side can follow. */
  possible = true;

  #peer;
  #courtesy;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;
  #restartedAt = 0;
  #movedAt = 0;
  /** How often no pair may still be seen in use, after a restart of theirs. */
  #looks = 0;

  /**
   * @param {() => import('./peer.js').Peer | undefined} peer
   * @param {() => boolean} courteous whether the other side goes first
   */
  constructor(peer, courteous) {
    this.#peer = peer;
    this.#courtesy = courteous;
  }

  /** @param {RTCPeerConnectionState} state */
  observe(state) {
    this.interrupted = state === 'disconnected' || state === 'failed';
    clearTimeout(this.#patience);
    const hopeless = state === 'failed' || Date.now() - this.#movedAt < MOVING;
    if (this.interrupted) this.#wait((hopeless ? 0 : PATIENCE) + (this.#courtesy() ? COURTESY : 0));
    else this.#watch();
  }

  /**
   * They restarted ICE and have our answer.  Where Chromium (156) goes on to candidates of before, Firefox (153) is connected but has no pair, and is deaf
   * until it restarts ICE itself.  Whoever is restarted for that does not watch, so that no two sides take turns.
   */
  followed() {
    const since = Date.now() - this.#restartedAt;
    this.#looks = since > LOOK && since < ECHO ? 0 : 2;
    this.#watch();
  }

  /** A path that breaks now is not waited for: the network is another one. */
  networkChanged() {
    this.#movedAt = Date.now();
    this.#renew();
  }

  /** Looks for another path, now or as soon as the last attempt had its time. */
  restart(gap = RESTART_GAP) {
    const peer = this.#peer();
    if (!peer?.settled || !this.possible) return;
    const wait = this.#restartedAt + gap - Date.now();
    if (wait > 0) return this.#wait(wait);
    this.#restartedAt = Date.now();
    this.#looks = 0;
    peer.restart();
  }

  close() {
    clearTimeout(this.#patience);
  }

  /** @param {number} delay */
  #wait(delay, act = () => this.#renew()) {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(act, delay);
  }

  #watch() {
    if (this.#looks && this.#peer()?.pc.connectionState === 'connected') this.#wait(LOOK, () => this.#look());
  }

  async #look() {
    const [{ route }] = digest(await this.#peer()?.pc.getStats() ?? []);
    if (route || !this.#looks) this.#looks = 0;
    else if (--this.#looks) this.#watch();
    else this.restart(0);
  }

  #renew() {
    if (this.interrupted) this.restart();
  }
}
