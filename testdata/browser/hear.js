// rig.hear(source) returns the strongest frequency of a MediaStream, a track or a media element (or the selector of
// one) as {hz, db, heard}, heard being for how many seconds it has listened, or null while there is nothing to listen
// to. Call it until it hears what it should: the first call only starts to listen.
{
  const listeners = new WeakMap(); // track -> analyser

  const trackOf = (source) => {
    if (typeof source === 'string') source = document.querySelector(source);
    if (source instanceof HTMLMediaElement) source = source.srcObject;
    if (source instanceof MediaStream) source = source.getAudioTracks()[0];
    return source instanceof MediaStreamTrack ? source : null;
  };

  const listen = (track) => {
    const stream = new MediaStream([track]);
    // Chromium lets WebAudio hear a remote track only while an element plays it, muted or not.
    const element = new Audio();
    element.muted = true;
    element.srcObject = stream;
    element.play().catch(() => {});
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, {fftSize: 8192, smoothingTimeConstant: 0});
    context.createMediaStreamSource(stream).connect(analyser);
    track.addEventListener('ended', () => context.close().catch(() => {}));
    return {analyser, context, element};
  };

  rig.hear = (source) => {
    const track = trackOf(source);
    if (!track) return null;
    if (!listeners.has(track)) listeners.set(track, listen(track));
    const {analyser, context} = listeners.get(track);
    if (context.state === 'suspended') context.resume();
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    let peak = 1;
    for (let i = 2; i < levels.length; i++) if (levels[i] > levels[peak]) peak = i;
    const heard = Math.round(context.currentTime);
    if (!Number.isFinite(levels[peak])) return {hz: 0, db: -1000, heard};
    return {hz: Math.round(peak * context.sampleRate / analyser.fftSize), db: Math.round(levels[peak]), heard};
  };
}
