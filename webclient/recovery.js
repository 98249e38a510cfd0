// When a call whose media broke looks for another network path.

// A path that is interrupted often comes back by itself; and not both sides should look for another one at once.
const PATIENCE = 3000;
const COURTESY = 2000;
const RESTART_GAP = 8000;
// Browsers notice only seconds later that a network is gone.
const MOVING = 15_000;

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
    if (this.interrupted) this.#restartIn((hopeless ? 0 : PATIENCE) + (this.#courtesy() ? COURTESY : 0));
  }

  /** A path that breaks now is not waited for: the network is another one. */
  networkChanged() {
    this.#movedAt = Date.now();
    this.#renew();
  }

  /** Looks for another path, now or as soon as the last attempt had its time. */
  restart() {
    const peer = this.#peer();
    if (!peer?.settled || !this.possible) return;
    const wait = this.#restartedAt + RESTART_GAP - Date.now();
    if (wait > 0) return this.#restartIn(wait);
    this.#restartedAt = Date.now();
    peer.restart();
  }

  close() {
    clearTimeout(this.#patience);
  }

  /** @param {number} delay */
  #restartIn(delay) {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#renew(), delay);
  }

  #renew() {
    if (this.interrupted) this.restart();
  }
}
