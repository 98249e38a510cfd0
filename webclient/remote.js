// What the other side of a call sends, and what it says of itself.

/** @typedef {import('./devices.js').Kind} Kind */

export class Remote {
  /** Their sound and camera: the same object from the first track on. @type {MediaStream | undefined} */
  stream;
  /** Their screen, while they share it. @type {MediaStream | undefined} */
  screen;
  says = { muted: false, cameraOff: false, held: false };

  /** Whether their picture can be seen now. */
  get visible() {
    return !this.says.cameraOff && (this.stream?.getVideoTracks().some((track) => track.readyState === 'live' && !track.muted) ?? false);
  }

  /**
   * Has these tracks from now on.  The streams are built from them, because XMPP clients such as Dino 0.4 name no stream.
   * @param {import('./peer.js').Peer['remote']} [tracks] none before there is a connection
   */
  take({ main, screen } = { main: [], screen: [] }) {
    this.stream = filled(this.stream, main) ?? this.stream;
    this.screen = filled(this.screen, screen);
  }

  /**
   * Takes what it says of itself in a session-info (XEP-0167, section 8).
   * @param {unknown} info
   * @param {string | undefined} kind of media that it is about; empty is all of it
   */
  hear(info, kind) {
    const { says } = this;
    if (info === 'hold') says.held = true;
    else if (info === 'unhold' || info === 'active') says.held = false;
    else if (info === 'mute' || info === 'unmute') {
      if (kind !== 'video') says.muted = info === 'mute';
      if (kind !== 'audio') says.cameraOff = info === 'mute';
    }
  }
}

/**
 * The stream with just these tracks, made when the first comes; undefined without any.
 * @param {MediaStream | undefined} stream
 * @param {MediaStreamTrack[]} tracks
 */
function filled(stream, tracks) {
  for (const gone of stream?.getTracks() ?? []) if (!tracks.includes(gone)) stream?.removeTrack(gone);
  if (!tracks.length) return undefined;
  const present = stream ?? new MediaStream();
  for (const track of tracks) if (!present.getTracks().includes(track)) present.addTrack(track);
  return present;
}
