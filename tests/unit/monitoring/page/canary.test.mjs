// Some dead letters are retried before the others: what a hub answers, and what is asked for then. A list of answers ends
// with the one that is given from then on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { give, tryFirst } from '../../../../monitoring/web/static/js/model/canary.js';

const CASES = JSON.parse(readFileSync(new URL('../../canary.json', import.meta.url), 'utf8'));

function letter(known) {
  const [number, id] = Array.isArray(known) ? known : [known, `id-${known}`];
  return { number, id, reason: 'no luck' };
}

function next(answers) {
  return answers.length > 1 ? answers.shift() : answers[0];
}

function hubOf({ answers, unsettled, dead, listed }) {
  let now = 0;
  const hub = {
    orders: [],
    retry: async (name, numbers) => {
      hub.orders.push(numbers);
      const [start, stop, count] = next(answers);
      return { start, stop, count };
    },
    letters: async () => next(listed).map(letter),
    died: async () => next(dead),
    unsettled: async () => next(unsettled),
    now: () => now,
    pause: async () => {
      now += 300;
    },
  };
  return hub;
}

for (const found of CASES) {
  test(found.case, async () => {
    const hub = hubOf(found);
    const work = async () => {
      await tryFirst(hub, 'slow', found.first.map(letter));
      if (found.rest.length) await give(hub, 'slow', found.rest.map(letter));
    };
    if (found.problem) await assert.rejects(work, ({ message }) => message.includes(found.problem));
    else await work();
    assert.deepEqual(hub.orders, found.orders);
  });
}

test('it is told that the queue took them, before it is known what becomes of them', async () => {
  const hub = hubOf({ answers: [[7, 8, 1], [8, 8, 0]], unsettled: [1], dead: [1], listed: [[1]] });
  let told = 0;
  const given = () => {
    told += 1;
  };
  await assert.rejects(() => tryFirst(hub, 'slow', [letter(1)], given), /not through/);
  await assert.rejects(() => tryFirst(hub, 'slow', [letter(1)], given), /took 0 of 1/);
  assert.equal(told, 1);
});
