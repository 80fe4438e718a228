// How the page hears the hub: what comes in pieces, and a line that is cut or dead.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Feed } from '../../../../monitoring/web/static/js/link/feed.js';
import { events, Lines } from '../../../../monitoring/web/static/js/model/lines.js';

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Lines to a hub that says what the test has it say. `told`: what the page was told, in order. */
class Bench {
  constructor() {
    this.lines = [];
    this.told = [];
    this.feed = new Feed((snapshot) => this.told.push(snapshot), (live) => this.told.push(live ? 'live' : 'lost'), (signal) => this.open(signal));
    this.feed.start();
  }

  async *open(signal) {
    const line = { signal, waiting: [], wake: () => {} };
    this.lines.push(line);
    for (;;) {
      while (line.waiting.length) {
        const next = line.waiting.shift();
        if (next === 'end') return;
        if (next instanceof Error) throw next;
        yield next;
      }
      await new Promise((resolve) => {
        line.wake = resolve;
      });
    }
  }

  /** The newest line brings something: a status, null (a part of one), 'end' or an Error. */
  async say(something) {
    this.lines.at(-1).waiting.push(something);
    this.lines.at(-1).wake();
    await settle();
  }

  async pass(seconds) {
    for (let second = 0; second < seconds; second += 1) {
      mock.timers.tick(1000);
      await settle();
    }
  }
}

async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

beforeEach(() => mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'Date'] }));
afterEach(() => mock.timers.reset());

test('events come in pieces, and what is no data is left out', () => {
  const lines = new Lines();
  const fed = (text) => events(lines.feed(text));
  assert.deepEqual(fed('retry: 2000\n\nevent: status\ndata: {"a": 1}\n'), [{ a: 1 }]);
  assert.deepEqual(fed('\n: no numbers\n\nevent: status\nda'), []);
  assert.deepEqual(fed('ta: {"b": "data: 2"}'), []);
  assert.deepEqual(fed('\n\ndata: 3\n\n'), [{ b: 'data: 2' }, 3]);
});

test('each status is passed on, and the line is kept', async () => {
  const bench = new Bench();
  for (const number of NUMBERS) {
    await bench.say(number);
    await bench.pass(1);
  }
  assert.deepEqual(bench.told, ['live', ...NUMBERS]);
  assert.equal(bench.lines.length, 1);
});

test('a line that ends or fails is made anew, and it is told once', async () => {
  const bench = new Bench();
  await bench.say(1);
  await bench.say('end');
  await bench.pass(2);
  await bench.say(new Error('refused'));
  await bench.pass(2);
  await bench.say(2);
  assert.deepEqual(bench.told, ['live', 1, 'lost', 'live', 2]);
  assert.equal(bench.lines.length, 3);
});

test('a line over which nothing comes any more is closed, and made anew until one is heard', async () => {
  const bench = new Bench();
  await bench.say(1);
  await bench.pass(7);
  assert.deepEqual(bench.told, ['live', 1, 'lost']);
  assert.deepEqual(bench.lines.map(({ signal }) => signal.aborted), [true, false]);
  await bench.pass(7);
  assert.equal(bench.lines.length, 3);
  await bench.say(2);
  await bench.pass(1);
  assert.deepEqual(bench.told, ['live', 1, 'lost', 'live', 2]);
  assert.equal(bench.lines.length, 3);
});

test('a status that takes long to come is waited for as long as more of it comes', async () => {
  const bench = new Bench();
  for (let second = 0; second < 20; second += 1) {
    await bench.say(null);
    await bench.pass(1);
  }
  await bench.say(1);
  assert.deepEqual(bench.told, ['live', 1]);
  assert.equal(bench.lines.length, 1);
});

test('what an old line brings after another token is not shown', async () => {
  const bench = new Bench();
  await bench.say(1);
  bench.feed.connect();
  await settle();
  const [old] = bench.lines;
  old.waiting.push(2);
  old.wake();
  await settle();
  await bench.say(3);
  assert.deepEqual(bench.told, ['live', 1, 3]);
  await bench.pass(5);
  assert.equal(bench.lines.length, 2);
});

test('a fault of the page is reported, and the line is kept', async () => {
  const reported = mock.fn();
  globalThis.reportError = reported;
  const bench = new Bench();
  bench.feed.onSnapshot = () => {
    throw new Error('a fault');
  };
  await bench.say(1);
  await bench.say(2);
  assert.equal(reported.mock.callCount(), 2);
  assert.equal(bench.lines.length, 1);
});
