// Two calls of the client library in one page, and a server between them that does what Carillon does for two of its pages: it passes on
// what one says to the other, and drops an offer that crosses one of its own.  `unbundled` takes BUNDLE out of everything, as a peer that has none.

export async function pair(library, {video = false, unbundled = false, bundlePolicy = 'max-compat'} = {}) {
  const {Call, Devices} = await import(`${library}/carillon.js`);
  const devices = new Devices();
  const calls = {}, sent = {a: [], b: []}, offering = {a: false, b: false};
  const other = {a: 'b', b: 'a'};
  const admitted = {event: 'admitted', call: 'c', ice_servers: [], relay_only: false, expires: 0};
  const changed = (text) => (unbundled ? text.replace(/^a=(group:|bundle-only).*\r\n/gm, '') : text);
  const pass = async (from, frame) => {
    sent[from].push(frame);
    await moment(50); // time for offers to cross
    const to = other[from];
    if (frame.event === 'offer') {
      if (offering[to]) return;
      offering[from] = true;
    }
    if (frame.event === 'answer') offering[to] = false;
    if (frame.event === 'offer' || frame.event === 'answer') calls[to].receive({...frame, sdp: {...frame.sdp, sdp: changed(frame.sdp.sdp)}});
    else if (frame.event === 'ice_candidate' || frame.event === 'session_info') calls[to].receive(frame);
  };
  const port = (side) => ({
    devices, configuration: {bundlePolicy}, ended() {},
    request: async () => admitted,
    deliver: async (frame) => {
      if (frame.event === 'accept') return admitted;
      void pass(side, frame);
      return {event: 'ok'};
    },
  });
  const media = video ? ['audio', 'video'] : ['audio'];
  calls.a = new Call(port('a'), 'outgoing', 'b@example.org', media);
  calls.b = new Call(port('b'), 'incoming', 'a@example.org', media);
  calls.b.id = 'c';
  await calls.b.accept(await devices.open({video}));
  calls.a.start(await devices.open({video}));
  return {...calls, sent};
}

// walk goes through the changes of a call, and returns what was done; it throws at what does not come about.
export async function walk(library, options) {
  const done = [], warned = [];
  const {a, b, sent} = await pair(library, options);
  const step = async (what, condition) => {
    for (const end = Date.now() + 15000; !(await condition());) {
      if (Date.now() > end) throw new Error(`not: ${what}, after ${done.join('; ')}; warnings ${warned.join(', ')}`);
      await moment(20);
    }
    done.push(what);
  };
  for (const call of [a, b]) call.on('warning', ({code, text}) => warned.push(`${code} ${text}`));
  // The last of the pictures that a call decodes, at that index of its sections, goes on.
  const moves = async (call, pictures) => {
    const before = await decoded(call);
    for (const end = Date.now() + 5000; Date.now() < end;) { // a machine with much to do decodes few a second
      await moment(100);
      const after = await decoded(call);
      if (after.filter(([mid, frames]) => frames > (before.find(([known]) => known === mid)?.[1] ?? 0)).length >= pictures) return true;
    }
    return false;
  };
  await step('connected', () => a.state === 'connected' && b.state === 'connected');
  // A camera that joins a section with credentials of its own leaves them alone.
  await b.addVideo();
  const own = ufrags(sent.a);
  await a.addVideo();
  await step('a second camera restarts no ICE', () => a.hasRemoteVideo && b.hasRemoteVideo && ufrags(sent.a) === own && own.split(',').length === 2);
  await Promise.all([a.removeVideo(), b.removeVideo()]);
  await step('both cameras are gone', () => !a.hasRemoteVideo && !b.hasRemoteVideo);
  await Promise.all([a.addVideo(), b.addVideo()]);
  await step('both added their camera at once', () => a.hasRemoteVideo && b.hasRemoteVideo);
  await step('one section has both', () => sections(sent).filter((kind) => kind === 'video').length === 1);
  await step('both pictures move', async () => (await moves(a, 1)) && moves(b, 1));
  await Promise.all([a.shareScreen(drawing()), b.shareScreen(drawing())]);
  await step('both share a screen', () => a.remoteScreen?.getTracks().length === 1 && b.remoteScreen?.getTracks().length === 1);
  await step('all four pictures move', async () => (await moves(a, 2)) && moves(b, 2));
  await a.stopScreen();
  await step('one screen is gone', () => !b.remoteScreen && a.remoteScreen);
  await b.stopScreen();
  await step('the other one, too', () => !a.remoteScreen);
  const taken = sections(sent).length;
  await a.shareScreen(drawing());
  await step('a screen comes back in a section that was used', () => b.remoteScreen && sections(sent).length === taken);
  a.mute(true);
  a.hold(true);
  await step('muted and held', () => b.remote.muted && b.remote.held);
  a.hold(false);
  await step('not held', () => !b.remote.held);
  await step('pictures move again', async () => moves(b, 2));
  await a.removeVideo();
  await step('one camera is gone', () => !b.hasRemoteVideo && a.hasRemoteVideo);
  const names = ufrags(sent.a);
  a.restart();
  b.restart();
  await step('both restarted ICE', () => ufrags(sent.a) !== names && sent.b.at(-1).event !== 'offer');
  await step('and hear and see each other', async () => a.state === 'connected' && !a.interrupted && (await moves(a, 1)));
  let told;
  await a.statistics();
  // A path just chosen has no round trip yet.
  await step('statistics', async () => {
    await moment(500);
    told = await a.statistics();
    return told.route === 'direct' && told.rtt >= 0 && told.received > 10000 && told.codecs.audio === 'opus';
  }).catch((error) => { throw new Error(`${error.message}; ${JSON.stringify(told)}`); });
  done.push(`${told.received} bit/s, ${told.codecs.audio} ${told.codecs.video}`);
  a.sendTones('1#');
  await step('tones', () => a.takesTones);
  if (warned.length) throw new Error(`warnings ${warned.join(', ')}`);
  a.hangUp();
  b.hangUp();
  return done;
}

const moment = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const sections = ({a, b}) => [a, b].map((frames) => [...(frames.filter(({event}) => event === 'offer').at(-1)?.sdp.sdp.matchAll(/^m=(\w+)/gm) ?? [])].map(([, kind]) => kind))
  .sort((one, two) => two.length - one.length)[0];

const ufrags = (frames) => [...frames.filter(({sdp}) => sdp).at(-1).sdp.sdp.matchAll(/^a=ice-ufrag:.*/gm)].join();

async function decoded(call) {
  const all = [...(await call.getStats()).values()];
  return all.filter(({type, kind}) => type === 'inbound-rtp' && kind === 'video').map(({mid, framesDecoded}) => [mid, framesDecoded ?? 0]);
}

// drawing is a stream of a canvas that moves.
function drawing() {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 360;
  const context = canvas.getContext('2d');
  setInterval(() => {
    context.fillStyle = `hsl(${(Date.now() / 10) % 360} 90% 50%)`;
    context.fillRect(0, 0, 640, 360);
  }, 50);
  return canvas.captureStream(20);
}
