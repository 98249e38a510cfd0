// rig.see(video) returns what a video element (or the selector of one) shows: {width, height, r, g, b, frames, changed}.
// r, g and b are the mean colour, frames counts those painted since the first call, changed tells whether the picture differs from
// that of the call before. null: there is no picture yet.
{
  const earlier = new WeakMap(); // video -> pixels
  const painted = new WeakMap(); // video -> frames
  const columns = 64, rows = 48;

  const count = (video) => {
    painted.set(video, (painted.get(video) ?? -1) + 1);
    video.requestVideoFrameCallback(() => count(video));
  };

  rig.see = (video) => {
    if (typeof video === 'string') video = document.querySelector(video);
    if (!(video instanceof HTMLVideoElement) || !video.videoWidth || video.readyState < 2) return null;
    if (!painted.has(video)) count(video);
    const canvas = new OffscreenCanvas(columns, rows);
    const context = canvas.getContext('2d', {willReadFrequently: true});
    context.drawImage(video, 0, 0, columns, rows);
    const pixels = context.getImageData(0, 0, columns, rows).data;
    const sum = [0, 0, 0];
    for (let i = 0; i < pixels.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += pixels[i + c];
    const [r, g, b] = sum.map((value) => Math.round(value / (columns * rows)));
    const before = earlier.get(video);
    earlier.set(video, pixels);
    const changed = before !== undefined && pixels.some((value, i) => Math.abs(value - before[i]) > 8);
    return {width: video.videoWidth, height: video.videoHeight, r, g, b, frames: painted.get(video), changed};
  };
}
