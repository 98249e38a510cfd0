// rig.peers holds every RTCPeerConnection the page makes, so that a test can read their statistics.
globalThis.rig = {peers: []};

if (globalThis.RTCPeerConnection) {
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      rig.peers.push(this);
    }
  };
}

// stats returns, for the youngest connection that is not closed, the state and one entry per direction and kind
// ("inbound audio": {packets, bytes, frames, ...}), plus the selected candidate pair's types.
rig.stats = async () => {
  const peer = rig.peers.filter((one) => one.connectionState !== 'closed').at(-1);
  if (!peer) return null;
  const found = {connection: peer.connectionState, ice: peer.iceConnectionState, signaling: peer.signalingState, pairs: []};
  const report = await peer.getStats();
  for (const entry of report.values()) {
    if (entry.type === 'inbound-rtp') {
      found[`inbound ${entry.kind}`] = {packets: entry.packetsReceived, bytes: entry.bytesReceived, lost: entry.packetsLost,
        frames: entry.framesDecoded ?? 0, width: entry.frameWidth ?? 0, height: entry.frameHeight ?? 0};
    } else if (entry.type === 'outbound-rtp') {
      found[`outbound ${entry.kind}`] = {packets: entry.packetsSent, bytes: entry.bytesSent, frames: entry.framesEncoded ?? 0};
    } else if (entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded') {
      found.pairs.push(`${report.get(entry.localCandidateId)?.candidateType} ${report.get(entry.remoteCandidateId)?.candidateType}`);
    }
  }
  return found;
};
