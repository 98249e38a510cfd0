// Starts one Chromium or Firefox with a fresh profile, a fake camera and a microphone that hears a tone.
// All it writes is below one temporary directory.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import puppeteer from 'puppeteer-core';

const programs = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
  firefox: ['firefox-esr', 'firefox'],
};

const chromiumFlags = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-features=DialMediaRouteProvider,MediaRouter',
  // A page in the background must go on: tests have two pages talk to each other.
  '--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

const firefoxPreferences = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.update.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'services.settings.server': '',
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'dom.min_background_timeout_value': 4,
};

// start returns {browser, end}. options: browser ('chromium' or 'firefox'), tone (Hz, 0: the browser's own beeps),
// args (Chromium's flags; !FLAG leaves one of ours out) and preferences (Firefox's).
export async function start(options) {
  const program = findProgram(options.browser);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'carillon-browser-'));
  const owned = {dir, sound: null, browser: null};
  try {
    for (const name of ['home', 'profile', 'run']) fs.mkdirSync(path.join(dir, name), {mode: 0o700});
    const env = {...process.env, HOME: path.join(dir, 'home'), XDG_RUNTIME_DIR: path.join(dir, 'run')};
    for (const name of ['XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'DBUS_SESSION_BUS_ADDRESS']) delete env[name];
    if (options.browser === 'firefox') owned.sound = await startSound(dir, env);
    const launch = options.browser === 'firefox' ? firefox : chromium;
    owned.browser = await puppeteer.launch({
      ...launch(options, dir), executablePath: program, headless: true, env,
      handleSIGHUP: false, handleSIGINT: false, handleSIGTERM: false, timeout: 60000, protocolTimeout: 120000,
    });
    return {browser: owned.browser, end: () => end(owned)};
  } catch (error) {
    await end(owned);
    throw error;
  }
}

function findProgram(kind) {
  if (!programs[kind]) throw new Error(`unknown browser "${kind}": chromium or firefox`);
  for (const name of programs[kind]) {
    for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
      const file = path.join(dir, name);
      if (fs.existsSync(file)) return file;
    }
  }
  throw new Error(`${kind} is not installed: apt-get install ${programs[kind][0]}`);
}

function chromium(options, dir) {
  const given = options.args ?? [];
  const args = [...chromiumFlags, ...given].filter((flag) => !flag.startsWith('!') && !given.includes(`!${flag}`));
  if (process.getuid() === 0) args.push('--no-sandbox');
  if (options.tone) {
    const file = path.join(dir, 'tone.wav');
    fs.writeFileSync(file, wave(options.tone));
    args.push(`--use-file-for-fake-audio-capture=${file}`);
  }
  // Over a pipe Chromium ends with us, whatever ends us.
  return {browser: 'chrome', userDataDir: path.join(dir, 'profile'), args, pipe: true};
}

function firefox(options, dir) {
  const preferences = {...firefoxPreferences, ...(options.preferences ?? {})};
  if (options.tone) preferences['media.navigator.audio.fake_frequency'] = options.tone;
  return {browser: 'firefox', userDataDir: path.join(dir, 'profile'), extraPrefsFirefox: preferences, args: options.args ?? []};
}

// wave is ten seconds of a sine; a whole number of periods, so the loop is seamless.
function wave(hz) {
  const rate = 48000, samples = rate * 10;
  const file = Buffer.alloc(44 + samples * 2);
  file.write('RIFF', 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // mono
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) {
    file.writeInt16LE(Math.round(12000 * Math.sin(2 * Math.PI * hz * i / rate)), 44 + i * 2);
  }
  return file;
}

// startSound gives Firefox an audio output: without one a page's audio set-up hangs.
async function startSound(dir, env) {
  const socket = path.join(dir, 'run', 'pulse.sock');
  env.PULSE_SERVER = `unix:${socket}`;
  const child = spawn('pulseaudio', ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disable-shm=yes',
    '--realtime=no', '--high-priority=no', '-L', `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
    '-L', 'module-null-sink sink_name=speaker rate=48000'], {env, stdio: ['ignore', 'ignore', 'pipe']});
  let log = '', failure = null;
  child.stderr.on('data', (text) => { log = (log + text).slice(-2000); });
  child.on('error', (error) => { failure = error; });
  child.on('exit', (code) => { failure ??= new Error(`it ended with status ${code}: ${log}`); });
  for (const limit = Date.now() + 15000; !fs.existsSync(socket);) {
    if (failure?.code === 'ENOENT') throw new Error('pulseaudio is not installed: apt-get install pulseaudio');
    if (failure) throw new Error(`pulseaudio did not start: ${failure.message}`);
    if (Date.now() > limit) throw new Error(`pulseaudio did not start within 15 s: ${log}`);
    await pause(20);
  }
  return child;
}

async function end(owned) {
  const child = owned.browser?.process();
  if (alive(child)) {
    await Promise.race([owned.browser.close().catch(() => {}), pause(5000)]);
  }
  await kill(child);
  await kill(owned.sound);
  await remove(owned.dir);
}

function alive(child) {
  return child && child.exitCode === null && child.signalCode === null;
}

async function kill(child) {
  if (!alive(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

// remove tries again for a while: helpers of a killed browser may still write as they end.
async function remove(dir) {
  for (const limit = Date.now() + 5000; ;) {
    try {
      fs.rmSync(dir, {recursive: true, force: true});
      return;
    } catch (error) {
      if (Date.now() > limit) throw error;
    }
    await pause(50);
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
