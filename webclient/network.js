// Whether the network may have become another one.

const HEARTBEAT = 5000;

/**
 * Calls changed when the browser says that the network changed, and after sleep.  Returns a function that ends this.
 * @param {() => void} changed
 * @returns {() => void}
 */
export function watchNetwork(changed) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  // A timer that comes too late was asleep together with the machine.
  const beat = (/** @type {number} */ due) => {
    if (Date.now() - due > HEARTBEAT) changed();
    timer = setTimeout(beat, HEARTBEAT, Date.now() + HEARTBEAT);
  };
  beat(Date.now());
  const listener = () => changed();
  // Chromium tells of Wi-Fi that becomes mobile, too.
  const { connection } = /** @type {{ connection?: EventTarget }} */ (globalThis.navigator ?? {});
  for (const [target, event] of sources(connection)) target?.addEventListener?.(event, listener);
  return () => {
    clearTimeout(timer);
    for (const [target, event] of sources(connection)) target?.removeEventListener?.(event, listener);
  };
}

/**
 * @param {EventTarget | undefined} connection
 * @returns {Array<[EventTarget | undefined, string]>}
 */
const sources = (connection) => [[globalThis, 'online'], [connection, 'change']];
