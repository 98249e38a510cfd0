// How long npm's stanza takes to turn an SDP into the text of a stanza, and that text into an SDP.
//
//   node convert.mjs MILLISECONDS FILE     FILE holds the SDP of an offer
//
// Prints one line of JSON: the sizes, and the processor time of each in nanoseconds, that of all threads of the process: the mean of as many runs as fit
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

// processorTime returns the mean of as many runs as fit into the span.
function processorTime(run, span) {
  const begin = process.cpuUsage();
  for (let runs = 0; ;) {
    for (let i = 0; i < 10; i++) run();
    runs += 10;
    const { user, system } = process.cpuUsage(begin);
    if (user + system >= span * 1e3) return Math.round((user + system) * 1e3 / runs);
  }
}

function best(run) {
  processorTime(run, 4 * span);
  return Math.min(...[1, 2, 3].map(() => processorTime(run, span)));
}

const span = Number(process.argv[2]);
const sdp = fs.readFileSync(process.argv[3], 'utf8');
const xml = toXML(sdp);
console.log(JSON.stringify({
  xmlBytes: xml.length, sdpBytes: toSDP(xml).length,
  toXML: best(() => toXML(sdp)), toSDP: best(() => toSDP(xml)),
}));
process.exit(0);
