// How long npm's stanza takes to turn an SDP into the text of a stanza, and that text into an SDP.
//
//   node convert.mjs MILLISECONDS FILE     FILE holds the SDP of an offer
//
// Prints one line of JSON: the sizes, and the median time of each in nanoseconds, of as many runs as fit into the milliseconds, after twice as long to get warm.
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

function median(run) {
  for (const end = performance.now() + 2 * span; performance.now() < end;) run();
  const times = [];
  for (const end = performance.now() + span; performance.now() < end;) {
    const begin = process.hrtime.bigint();
    run();
    times.push(Number(process.hrtime.bigint() - begin));
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}

const span = Number(process.argv[2]);
const sdp = fs.readFileSync(process.argv[3], 'utf8');
const xml = toXML(sdp);
console.log(JSON.stringify({
  xmlBytes: xml.length, sdpBytes: toSDP(xml).length,
  toXML: median(() => toXML(sdp)), toSDP: median(() => toSDP(xml)),
}));
process.exit(0);
