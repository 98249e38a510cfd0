// What the page shows, as one table: in which state which happening leads where.  `swap` is another call that was answered in place of this one, `lost`
// the news that the page was loaded anew in a call.

/** @typedef {'connecting' | 'idle' | 'dialing' | 'ringing' | 'incoming' | 'connecting-media' | 'in-call' | 'ended'} PageState */
/** @typedef {'away' | 'ready' | 'dial' | 'ring' | 'remote-rings' | 'answered' | 'connected' | 'ended' | 'dismiss' | 'swap' | 'lost'} Happening */

/** @type {Record<PageState, Partial<Record<Happening, PageState>>>} */
const TABLE = {
  connecting: { ready: 'idle', dial: 'dialing', ring: 'incoming', lost: 'ended' },
  idle: { away: 'connecting', dial: 'dialing', ring: 'incoming', lost: 'ended' },
  dialing: { 'remote-rings': 'ringing', answered: 'connecting-media', connected: 'in-call', ended: 'ended', swap: 'connecting-media' },
  ringing: { answered: 'connecting-media', connected: 'in-call', ended: 'ended', swap: 'connecting-media' },
  incoming: { answered: 'connecting-media', ended: 'ended' },
  'connecting-media': { connected: 'in-call', ended: 'ended' },
  'in-call': { ended: 'ended', swap: 'connecting-media' },
  ended: { dismiss: 'idle', dial: 'dialing', ring: 'incoming' },
};

/**
 * The state after that; the same one when it changes nothing there.
 * @param {PageState} state
 * @param {Happening} happening
 * @returns {PageState}
 */
export function next(state, happening) {
  return TABLE[state][happening] ?? state;
}

export const STATES = /** @type {PageState[]} */ (Object.keys(TABLE));
