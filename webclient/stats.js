// What the browser measures of a call, in the few numbers that people ask for.

/**
 * Since the sample before; what the browser does not tell is undefined.
 * @typedef {object} Statistics
 * @property {'direct' | 'relayed'} [route] whether media goes through a TURN server, ours or theirs
 * @property {string} [protocol] `udp`, or for our relay how it is reached: `tcp`, `tls`
 * @property {number} [rtt] round trip in milliseconds
 * @property {number} [jitter] of what arrives, in milliseconds
 * @property {number} [loss] share of the packets that did not arrive, 0 to 1
 * @property {number} [lossThere] the same at the other side
 * @property {number} [received] bit/s, all media
 * @property {number} [sent] bit/s
 * @property {Partial<Record<'audio' | 'video', string>>} codecs `opus`, `VP8`; of what arrives, or else of what is sent
 * @property {{ width: number, height: number, fps: number }} [picture] that arrives, the largest
 */
/** What the next one is compared with. @typedef {{ at: number, received: number, sent: number, arrived: number, lost: number }} Sample */

/**
 * @param {Iterable<[string, any]>} report an RTCStatsReport
 * @param {Sample} [before]
 * @returns {[Statistics, Sample]}
 */
export function digest(report, before) {
  const all = new Map(report);
  const of = (/** @type {string} */ type) => [...all.values()].filter((each) => each.type === type);
  const [inbound, outbound, heard] = [of('inbound-rtp'), of('outbound-rtp'), of('remote-inbound-rtp')];
  const now = {
    at: Math.max(0, ...[...all.values()].map(({ timestamp }) => Number(timestamp) || 0)),
    received: sum(inbound, 'bytesReceived'), sent: sum(outbound, 'bytesSent'), arrived: sum(inbound, 'packetsReceived'), lost: sum(inbound, 'packetsLost'),
  };
  /** @type {Statistics} */
  const result = { ...pathOf(all), codecs: {} };
  result.rtt ??= worst(heard, 'roundTripTime', 1000);
  result.jitter = worst(inbound, 'jitter', 1000);
  result.lossThere = worst(heard, 'fractionLost', 1);
  for (const { codecId, kind } of [...outbound, ...inbound]) {
    const codec = all.get(codecId)?.mimeType;
    if (codec) result.codecs[/** @type {'audio' | 'video'} */ (kind)] = codec.replace(/^.*\//, '');
  }
  for (const { frameWidth: width, frameHeight: height, framesPerSecond: fps = 0 } of inbound) {
    if (width > (result.picture?.width ?? 0)) result.picture = { width, height, fps };
  }
  const seconds = (now.at - (before?.at ?? now.at)) / 1000;
  if (before && seconds > 0) {
    const since = (/** @type {Exclude<keyof Sample, 'at'>} */ field) => Math.max(0, now[field] - before[field]);
    result.received = Math.round((since('received') * 8) / seconds);
    result.sent = Math.round((since('sent') * 8) / seconds);
    const expected = since('arrived') + since('lost');
    if (expected) result.loss = since('lost') / expected;
  }
  return [result, now];
}

/** Reads the statistics of one connection, each time since the last. */
export class Gauge {
  /** @type {Sample | undefined} */
  #before;

  /** @param {RTCStatsReport} report */
  read(report) {
    const [statistics, sample] = digest(/** @type {any} */ (report), this.#before);
    this.#before = sample;
    return statistics;
  }
}

/**
 * Of the pairs in use: one per transport, so one per section with a peer that does not bundle.
 * @param {Map<string, any>} all
 * @returns {Pick<Statistics, 'route' | 'protocol' | 'rtt'>}
 */
function pathOf(all) {
  const values = [...all.values()];
  const chosen = values.filter(({ type }) => type === 'transport').map(({ selectedCandidatePairId }) => all.get(selectedCandidatePairId)).filter(Boolean);
  // Firefox may have no transports, but says `selected`.
  const pairs = chosen.length ? chosen : values.filter(({ type, selected }) => type === 'candidate-pair' && selected);
  if (!pairs.length) return {};
  const ours = pairs.map((pair) => all.get(pair.localCandidateId)).filter(Boolean);
  const theirs = pairs.map((pair) => all.get(pair.remoteCandidateId)).filter(Boolean);
  const relayed = (/** @type {any} */ end) => end.candidateType === 'relay';
  const relay = ours.find(relayed);
  return {
    route: relay || theirs.some(relayed) ? 'relayed' : 'direct',
    protocol: relay?.relayProtocol ?? ours[0]?.protocol, rtt: worst(pairs, 'currentRoundTripTime', 1000),
  };
}

/**
 * @param {any[]} stats
 * @param {string} field
 */
function sum(stats, field) {
  return stats.reduce((total, each) => total + (Number(each[field]) || 0), 0);
}

/**
 * @param {any[]} stats
 * @param {string} field
 * @param {number} unit
 */
function worst(stats, field, unit) {
  const values = stats.map((each) => each[field]).filter(Number.isFinite);
  return values.length ? Math.max(...values) * unit : undefined;
}
