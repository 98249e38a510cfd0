// rig.camera(colour, hz) has the page's camera and microphone be a small picture of that colour in which a bar moves, and a tone: for several
// people in one browser, and for machines with few cores.
rig.camera = (colour, hz) => {
  const width = 64, height = 48, rate = 5;
  const picture = () => {
    const canvas = Object.assign(document.createElement('canvas'), {width, height});
    const context = canvas.getContext('2d');
    let at = 0;
    const draw = () => {
      context.fillStyle = colour;
      context.fillRect(0, 0, width, height);
      context.fillStyle = 'black';
      context.fillRect(at = (at + 8) % width, 0, 8, height);
    };
    draw();
    setInterval(draw, 1000 / rate);
    return canvas.captureStream(rate).getVideoTracks();
  };
  const tone = () => {
    const context = new AudioContext();
    const to = context.createMediaStreamDestination();
    const oscillator = new OscillatorNode(context, {frequency: hz});
    oscillator.connect(new GainNode(context, {gain: 0.3})).connect(to);
    oscillator.start();
    return to.stream.getAudioTracks();
  };
  navigator.mediaDevices.getUserMedia = async ({audio, video}) => new MediaStream([...(audio ? tone() : []), ...(video ? picture() : [])]);
};
