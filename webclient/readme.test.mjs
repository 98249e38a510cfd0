// What the README and package.json promise.  Run with: node --test webclient/

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Carillon, CODES, DEVICE_CODES } from './carillon.js';
import { devicesOf, made } from './fakes.mjs';
import { greet, opened, settle } from './setup.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const readme = readFileSync(join(here, 'README.md'), 'utf8');
const [, start] = /```js\n(import [^]*?)```/.exec(readme);
const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));

test('the start is five lines that call, play and tell how it ended', async () => {
  const lines = start.trim().split('\n').filter((line) => line && !line.startsWith('import'));
  assert.equal(lines.length, 5);
  devicesOf(['audio']);
  const audio = {};
  const said = [];
  const Recorded = class extends Carillon {
    constructor(options) {
      super(options);
      opened.push(this);
    }
  };
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const running = new AsyncFunction('Carillon', 'document', 'console', lines.join('\n'))(Recorded, { querySelector: () => audio }, { log: (text) => said.push(text) });
  await settle();
  assert.equal(made.sockets[0].url, 'wss://call.example.org/ws');
  const { socket } = await greet();
  const dial = await socket.take('dial');
  assert.equal(dial.to, 'alice@example.org');
  socket.say({ event: 'admitted', id: dial.id, call: 'c1', ice_servers: [], relay_only: false, expires: 0 });
  await socket.take('offer');
  await settle();
  const [pc] = made.connections;
  pc.ontrack({ track: pc.transceivers[0].receiver.track, transceiver: pc.transceivers[0] });
  assert.equal(audio.srcObject.getTracks().length, 1);
  socket.say({ event: 'ended', call: 'c1', reason: 'peer-hung-up', text: 'The call has ended.' });
  await running;
  assert.deepEqual(said, ['The call has ended.']);
});

test('every code of the library is explained, and every attribute, event, part and variable of the button', () => {
  for (const code of [...CODES, ...DEVICE_CODES]) assert.ok(readme.includes(`\`${code}\``), code);
  const source = readFileSync(join(here, 'carillon-call.js'), 'utf8');
  const named = [...source.matchAll(/getAttribute\('([a-z]+)'\)|#tell\('(carillon-[a-z]+)'|(--carillon-[a-z-]+)|(?:make|press|picture)\('(?:p|div)?'?,? ?'?([a-z-]+)'/g)].map((found) => found.slice(1).find(Boolean));
  assert.ok(named.length > 20);
  for (const name of named) assert.ok(readme.includes(`\`${name}\``) , name);
});

test('the package has every file that it needs, and no dependency', () => {
  assert.equal(manifest.dependencies, undefined);
  const files = new Set(manifest.files);
  for (const { default: entry } of Object.values(manifest.exports).filter((each) => each.default)) assert.ok(files.has(entry.slice(2)), entry);
  for (const file of files) {
    if (file === 'types') continue;
    for (const [, needed] of readFileSync(join(here, file), 'utf8').matchAll(/(?:from |import\()'\.\/([^']+)'/g)) {
      // What is there for the compiler alone is among the types.
      assert.ok(files.has(needed) || existsSync(join(here, needed.replace(/\.js$/, '.ts'))), `${file} needs ${needed}`);
    }
  }
});

test('the button speaks each of its languages in full', async () => {
  Object.assign(globalThis, { HTMLElement: class {}, customElements: { get: () => undefined, define: () => {} } });
  const { texts } = await import('./carillon-call.js');
  for (const [language, sentences] of Object.entries(texts)) {
    assert.deepEqual(Object.keys(sentences), Object.keys(texts.en), language);
    for (const [key, sentence] of Object.entries(sentences)) assert.ok(sentence && (language === 'en' || sentence !== texts.en[key]), `${language} ${key}`);
    assert.ok(sentences['origin-refused'].includes('{key}'));
  }
});

test('a TypeScript program has the types', () => {
  const tsc = join(here, '../testdata/browser/node_modules/typescript/bin/tsc');
  assert.ok(existsSync(tsc), 'testdata/install browser');
  const dir = mkdtempSync(join(tmpdir(), 'carillon-types-'));
  try {
    const installed = join(dir, 'node_modules/carillon-webclient');
    mkdirSync(installed, { recursive: true });
    execFileSync(process.execPath, [tsc, '-p', join(here, 'tsconfig.types.json'), '--outDir', join(installed, 'types')]);
    for (const file of ['package.json', ...manifest.files.filter((each) => each !== 'types')]) symlinkSync(join(here, file), join(installed, file));
    const check = (body) => {
      // tsc tells on its standard output what is wrong.
      try {
        writeFileSync(join(dir, 'use.ts'), body);
        execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext', join(dir, 'use.ts')], { stdio: 'pipe', encoding: 'utf8' });
      } catch (error) {
        throw new Error(error.stdout);
      }
    };
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    check(`${start.replace("document.querySelector('audio').srcObject", "document.querySelector('audio')!.srcObject")}
      import { Room } from 'carillon-webclient/room.js';
      import { CarillonCall } from 'carillon-webclient/carillon-call.js';
      import { levelMeter } from 'carillon-webclient';
      const loss: number | undefined = (await call.statistics())?.loss;
      carillon.on('incoming', (ringing) => { ringing.on('ended', ({ reason }) => { console.log(reason.length, levelMeter(new MediaStream()).level()); }); });
      new Room().on('entered', async (member) => { console.log(member.name, (await member.statistics()).rtt); });
      const state: 'out' | 'joining' | 'joined' | 'away' = new Room().state;
      new CarillonCall().addEventListener('carillon-ended', ({ detail }) => { console.log(loss, state, detail.reason.length); });
      ${readFileSync(join(here, 'carillon-call.test-d.ts'), 'utf8').replace('./carillon-call.js', 'carillon-webclient/carillon-call.js')}`);
    assert.throws(() => check("import { Carillon } from 'carillon-webclient'; new Carillon().dial(7);"), /TS2554|TS2345/);
    assert.throws(() => check("import { Carillon } from 'carillon-webclient'; new Carillon().on('calling', () => {});"), /TS2345/);
    assert.throws(() => check("import { Carillon } from 'carillon-webclient'; new Carillon().on('incoming', (call) => call.ring());"), /TS2339/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
