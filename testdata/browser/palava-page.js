// A person in a room with palava-client as it comes from npm; palava.bundle.js is loaded before. The tests ask globalThis.person.
globalThis.person = {
  events: [], // [name, detail] of the session, in order
  connections: new Map(), // peer id -> RTCPeerConnection, of peers that left as well

  // join resolves once the room is entered, and rejects when the client gives up.
  join({name, room, server, turnUrls, status = {}, joinTimeout = 5000}) {
    if (turnUrls) relayOnly(); // once a shorter way connects, the browser stops looking for one through the relay
    const session = this.session = new palava.Session({
      roomId: room,
      webSocketAddress: server,
      stun: 'stun:127.0.0.1:3478', // the client insists on one; there is none, at a port that Firefox does not block
      ...(turnUrls && {turnUrls}), // its user and password come with joined_room
      joinTimeout,
      // What browsers do against noise they do against a steady tone. The small picture is for machines with few cores.
      identity: new palava.Identity({name, status, userMediaConfig: {
        audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false},
        video: {width: 160, height: 120, frameRate: 10},
      }}),
    });
    this.follow(session);
    return new Promise((resolve, reject) => {
      session.once('room_joined', () => resolve(session.room.getLocalPeer().id));
      session.once('room_join_error', () => reject(new Error('room_join_error')));
      session.once('local_stream_error', reject);
      session.connect({});
    });
  },

  follow(session) {
    const note = (name, detail) => this.events.push([name, detail]);
    for (const name of ['signaling_open', 'signaling_close', 'signaling_not_reachable', 'room_join_error', 'room_left']) {
      session.on(name, () => note(name));
    }
    session.on('room_joined', () => {
      note('room_joined', session.room.getLocalPeer().id);
      for (const peer of session.room.getRemotePeers()) this.connections.set(peer.id, peer.peerConnection);
    });
    session.on('signaling_error', (source, text) => note('signaling_error', `${source}: ${text}`));
    session.on('signaling_shutdown', (seconds) => note('signaling_shutdown', seconds));
    session.on('peer_joined', (peer) => {
      note('peer_joined', peer.id);
      this.connections.set(peer.id, peer.peerConnection);
    });
    session.on('peer_left', (peer) => {
      note('peer_left', peer.id);
      document.getElementById(peer.id)?.remove();
    });
    session.on('peer_update', (peer) => note('peer_update', peer.id));
    session.on('peer_stream_ready', (peer) => { if (!peer.local) this.show(peer); });
  },

  show(peer) {
    // A peer that has left shows up in no room any more; its element goes with it.
    const video = document.getElementById(peer.id) ?? document.body.appendChild(document.createElement('video'));
    video.id = peer.id;
    video.muted = true;
    video.autoplay = true;
    video.srcObject = peer.getStream();
    peer.on('message', (data) => this.events.push(['message', [peer.status.name, data]]));
  },

  // peer is the one of that name who is in the room now.
  peer(name) {
    return this.session.room?.getRemotePeers().find((peer) => peer.status.name === name);
  },

  stream(name) {
    return this.peer(name)?.getStream();
  },

  video(name) {
    return document.getElementById(this.peer(name)?.id);
  },

  id() {
    return this.session.room?.getLocalPeer()?.id;
  },

  // names of the others, sorted.
  others() {
    return (this.session.room?.getRemotePeers() ?? []).map((peer) => peer.status.name).sort();
  },

  connected(name) {
    return this.peer(name)?.peerConnection?.connectionState === 'connected';
  },

  had(name, detail) {
    return this.events.some((event) => event[0] === name && (detail === undefined || JSON.stringify(event[1]) === JSON.stringify(detail)));
  },
};

// relayOnly has every later connection of this page use relays alone, which palava-client cannot be told.
function relayOnly() {
  const Connection = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(configuration, ...rest) {
      super({...configuration, iceTransportPolicy: 'relay'}, ...rest);
    }
  };
}

