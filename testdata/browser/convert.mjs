// How long npm's stanza takes to turn an SDP into the text of a stanza, and that text into an SDP.
//
//   node convert.mjs MILLISECONDS FILE     FILE holds the SDP of an offer
//
// Prints one line of JSON: the sizes, and the nanoseconds of each by the clock and of the processor, of all threads of the process: the mean of as many runs as fit
// into the milliseconds, the best of three such after four times as long to get warm.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const stanza = require('stanza');
const { importFromSDP, exportToSDP } = require('stanza/jingle/sdp/Intermediate');
const { convertIntermediateToRequest, convertRequestToIntermediate } = require('stanza/jingle/sdp/Protocol');

const registry = stanza.createClient({}).stanzas;
const transport = 'urn:xmpp:jingle:transports:ice-udp:1';

function toXML(sdp) {
  const jingle = convertIntermediateToRequest(importFromSDP(sdp), 'initiator', transport);
  jingle.action = 'session-initiate';
  jingle.sid = 's1';
  for (const content of jingle.contents) content.creator = 'initiator';
  return registry.export('iq', { type: 'set', id: '1', to: 'bob@example.org/x', from: 'alice@example.org/y', jingle }).toString();
}

function toSDP(xml) {
  return exportToSDP(convertRequestToIntermediate(registry.import(stanza.JXT.parse(xml)).jingle, 'initiator'));
}

// costOf returns the mean of as many runs as fit into the span.
function costOf(run, span) {
  const begin = performance.now();
  const processor = process.cpuUsage();
  for (let runs = 0; ;) {
    for (let i = 0; i < 10; i++) run();
    runs += 10;
    const passed = performance.now() - begin;
    if (passed < span) continue;
    const { user, system } = process.cpuUsage(processor);
    return { Clock: Math.round(passed * 1e6 / runs), Processor: Math.round((user + system) * 1e3 / runs) };
  }
}

function best(run) {
  costOf(run, 4 * span);
  const costs = [1, 2, 3].map(() => costOf(run, span));
  return { Clock: Math.min(...costs.map((c) => c.Clock)), Processor: Math.min(...costs.map((c) => c.Processor)) };
}

const span = Number(process.argv[2]);
const sdp = fs.readFileSync(process.argv[3], 'utf8');
const xml = toXML(sdp);
console.log(JSON.stringify({
  xmlBytes: xml.length, sdpBytes: toSDP(xml).length,
  toXML: best(() => toXML(sdp)), toSDP: best(() => toSDP(xml)),
}));
process.exit(0);
