// Drives one browser for the Go tests: a request per line on standard input, an answer or an event per line on
// standard output, all JSON.
//
//   {"id": 1, "op": "launch", "browser": "chromium", "tone": 880}   ->  {"id": 1, "result": ...}
//   {"id": 2, "op": "eval", "page": 1, "body": "return args[0]", "args": [7]}
//                                                                   ->  {"id": 2, "error": "..."}
//   {"event": "console", "page": 1, "type": "error", "text": "..."}
//
// Requests run side by side; the answers come as they are ready. At the end of the input the browser ends.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import {fileURLToPath} from 'node:url';
import {start} from './launch.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
// Every page has these from its first script on, as globalThis.rig.
const preload = ['peers.js', 'hear.js', 'see.js', 'camera.js'].map((file) => fs.readFileSync(path.join(here, file), 'utf8')).join('\n');

let running = null; // {browser, end}
let launching = Promise.resolve();
const pages = new Map();
let lastPage = 0;

function send(message) {
  process.stdout.write(JSON.stringify(message) + '\n');
}

function page(request) {
  const found = pages.get(request.page);
  if (!found) throw new Error(`there is no page ${request.page}`);
  return found;
}

const operations = {
  async launch(request) {
    if (running) throw new Error('a browser runs already');
    const started = start(request);
    launching = started.catch(() => {});
    running = await started;
    return {version: await running.browser.version(), pid: running.browser.process().pid};
  },

  // private: with cookies, storage and keys of its own, as another person's browser; beside: with those of that page.
  async newPage({url, private: alone, beside, viewport}) {
    const shared = beside ? page({page: beside}).browserContext() : running.browser.defaultBrowserContext();
    const context = alone ? await running.browser.createBrowserContext() : shared;
    const made = await context.newPage();
    const number = ++lastPage;
    pages.set(number, made);
    listen(made, number);
    await made.evaluateOnNewDocument(preload);
    await stayVisible(made);
    if (viewport) await resize(made, viewport);
    if (url) await made.goto(url, {waitUntil: 'load', timeout: 30000});
    return {page: number};
  },

  async goto(request) {
    await page(request).goto(request.url, {waitUntil: 'load', timeout: 30000});
  },

  async reload(request) {
    await page(request).reload({waitUntil: 'load', timeout: 30000});
  },

  async eval(request) {
    return await page(request).evaluate(call(request));
  },

  // waitFor calls the body until what it returns counts as true, and returns that.
  async waitFor(request) {
    const target = page(request), source = call(request), limit = Date.now() + request.timeout;
    for (let last = 'nothing';;) {
      try {
        const value = await target.evaluate(source);
        if (value) return value;
        last = JSON.stringify(value) ?? 'undefined';
      } catch (error) {
        // A page that is being replaced by the next one has no context for a moment.
        if (!/context|navigat/i.test(error.message)) throw error;
        last = error.message;
      }
      if (Date.now() > limit) throw new Error(`still ${last} after ${request.timeout} ms: ${request.body}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },

  async click(request) {
    await (await visible(request)).click();
  },

  // type replaces what the field holds.
  async type(request) {
    const field = await visible(request);
    await field.click({count: 3});
    await page(request).keyboard.press('Backspace');
    await field.type(request.text);
  },

  async press(request) {
    await page(request).keyboard.press(request.key);
  },

  async screenshot(request) {
    await page(request).screenshot({path: request.path, fullPage: request.fullPage ?? false});
  },

  async setViewport(request) {
    await resize(page(request), request.viewport);
  },

  // media: {'prefers-color-scheme': 'dark'} and the like.
  async emulate(request) {
    await page(request).emulateMediaFeatures(Object.entries(request.media).map(([name, value]) => ({name, value})));
  },

  // permission: setting is granted, denied or prompt, for the page's origin.  Chromium only.
  async permission(request) {
    // It lasts as long as the session.
    running.permissions ??= running.browser.target().createCDPSession();
    const session = await running.permissions;
    const {origin} = new URL(page(request).url());
    const browserContextId = page(request).browserContext().id;
    await session.send('Browser.setPermission', {permission: {name: request.name}, setting: request.setting, origin, ...(browserContextId && {browserContextId})});
  },

  async closePage(request) {
    const closing = page(request);
    pages.delete(request.page);
    await closing.close({runBeforeUnload: false});
  },

  // kill ends the browser as a crash does.
  async kill() {
    running.browser.process().kill('SIGKILL');
    pages.clear();
  },

  // bundle makes one script for a page out of a module and what it imports.
  async bundle({file}) {
    const {build} = await import('esbuild');
    const result = await build({
      entryPoints: [path.join(here, file)], absWorkingDir: here, bundle: true, write: false, format: 'iife',
      platform: 'browser', target: 'es2022', define: {global: 'globalThis'}, logLevel: 'silent',
    });
    return result.outputFiles[0].text;
  },
};

// call makes an expression of an async function's body and its arguments. As an expression it is evaluated outside
// the page's Content-Security-Policy, which a function made in the page would not be.
function call({body, args}) {
  return `(async (...args) => {${body}\n})(...${JSON.stringify(args ?? [])})`;
}

// stayVisible lets a tab paint and run timers while another one is in front. Firefox does so by itself.
async function stayVisible(made) {
  if (!(await running.browser.version()).startsWith('Chrome')) return;
  const session = await made.createCDPSession();
  await session.send('Emulation.setFocusEmulationEnabled', {enabled: true});
}

async function resize(target, viewport) {
  try {
    await target.setViewport(viewport);
  } catch (error) {
    // Firefox ESR 140 cannot turn the screen, which puppeteer asks for beside the size.
    if (!/unknown command emulation\.setScreenOrientationOverride/.test(error.message)) throw error;
  }
}

// visible waits for the element, in front: input goes to the front tab only.  It returns it once it stands still: one that moves between the look
// where it is and the click is missed.
async function visible(request) {
  await page(request).bringToFront();
  const found = await page(request).waitForSelector(request.selector, {visible: true, timeout: request.timeout ?? 10000});
  await found.evaluate(async (target) => {
    const limit = performance.now() + 5000;
    const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); setTimeout(resolve, 200); });
    const place = () => {
      const {x, y, width, height} = target.getBoundingClientRect();
      return [x, y, width, height].join();
    };
    for (let before = '', now = place(); before !== now && performance.now() < limit; now = place()) {
      before = now;
      await frame();
    }
  });
  return found;
}

function listen(made, number) {
  made.on('console', (line) => {
    const {url = '', lineNumber = 0} = line.location() ?? {};
    const at = url.startsWith('pptr:') ? 'test' : `${url}:${lineNumber + 1}`;
    send({event: 'console', page: number, type: line.type(), text: line.text(), at});
  });
  made.on('pageerror', (error) => send({event: 'error', page: number, text: error?.stack || String(error)}));
  made.on('error', (error) => send({event: 'error', page: number, text: `crashed: ${error?.message}`}));
  made.on('dialog', (dialog) => {
    send({event: 'dialog', page: number, type: dialog.type(), text: dialog.message()});
    dialog.accept().catch(() => {});
  });
}

async function answer(line) {
  let request;
  try {
    request = JSON.parse(line);
  } catch (error) {
    send({event: 'error', text: `not JSON: ${error.message}`});
    return;
  }
  try {
    const operation = Object.hasOwn(operations, request.op) ? operations[request.op] : null;
    if (!operation) throw new Error('there is no such operation');
    if (!running && !['launch', 'bundle'].includes(request.op)) throw new Error('no browser runs');
    send({id: request.id, result: (await operation(request)) ?? null});
  } catch (error) {
    send({id: request.id, error: `${request.op}: ${error.message}`});
  }
}

let ending = false;

async function finish() {
  if (ending) return;
  ending = true;
  await launching;
  await running?.end().catch((error) => process.stderr.write(`${error.message}\n`));
  process.exit(0);
}

// puppeteer may reject promises nobody waits for when a browser is killed.
process.on('unhandledRejection', (error) => process.stderr.write(`${error?.stack ?? error}\n`));
process.stdout.on('error', finish);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, finish);
readline.createInterface({input: process.stdin}).on('line', answer).on('close', finish);
