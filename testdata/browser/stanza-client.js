// Makes globalThis.client, a client of the XMPP library stanza that calls and answers with a tone and a moving picture. stanza.mjs comes first.
globalThis.client = {
  // login resolves with the full address once the client is available.
  async login(jid, password, url) {
    const context = new AudioContext();
    const tone = new OscillatorNode(context, {frequency: 660});
    const microphone = new MediaStreamAudioDestinationNode(context);
    tone.connect(microphone);
    tone.start();
    const canvas = document.createElement('canvas');
    const draw = canvas.getContext('2d');
    let turn = 0;
    setInterval(() => {
      draw.fillStyle = '#0000ff';
      draw.fillRect(0, 0, canvas.width, canvas.height);
      draw.fillStyle = '#ffffff';
      draw.fillRect((turn += 7) % canvas.width, 20, 40, 40);
    }, 50);
    this.stream = new MediaStream([...microphone.stream.getTracks(), ...canvas.captureStream(20).getTracks()]);

    const xmpp = this.xmpp = stanza.createClient({jid, password, transports: {websocket: url, bosh: false}});
    this.ended = '';
    xmpp.on('jingle:incoming', (session) => { this.incoming = session; this.follow(session); });
    xmpp.on('jingle:terminated', (session, reason) => { this.ended = reason?.condition ?? 'none'; });
    await new Promise((resolve, reject) => {
      xmpp.once('session:started', resolve);
      xmpp.once('auth:failed', () => reject(new Error('stanza could not log in')));
      xmpp.connect();
    });
    xmpp.sendPresence();
    return xmpp.jid;
  },

  follow(session) {
    this.session = session;
    // An incoming session is announced after its tracks have come.
    this.remote = new MediaStream(session.pc.getReceivers().map((receiver) => receiver.track));
    const show = () => {
      const video = document.querySelector('video') ?? document.body.appendChild(document.createElement('video'));
      video.muted = true;
      video.autoplay = true;
      video.srcObject = this.remote;
    };
    if (this.remote.getTracks().length) show();
    session.pc.addEventListener('track', (event) => {
      this.remote.addTrack(event.track);
      show();
    });
  },

  async call(to) {
    this.ended = '';
    const session = this.xmpp.jingle.createMediaSession(to, undefined, this.stream);
    this.follow(session);
    await session.start({offerToReceiveAudio: true, offerToReceiveVideo: true});
  },

  async answer() {
    this.ended = '';
    for (const track of this.stream.getTracks()) await this.incoming.addTrack(track, this.stream);
    await this.incoming.accept();
  },
};
