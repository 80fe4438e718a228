// What is said of a consumer, and the order of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allClear, catchUp } from '../../../../monitoring/web/static/js/model/catchup.js';
import { condition, held, look, urgency } from '../../../../monitoring/web/static/js/model/condition.js';
import { COLUMNS, sorted } from '../../../../monitoring/web/static/js/model/order.js';

const NOW = Date.UTC(2026, 10, 21, 14, 28, 50) / 1000;

function row(more) {
  return { state: 'running', conditions: [{ word: 'running', level: 'ok', reason: '' }], trend: 'idle', backlog: 0, rate_in: 0, rate_out: 0, catch_up_seconds: 0, catch_up_at: NOW, ...more };
}

const GAINING = row({ trend: 'catching_up', backlog: 545, catch_up_seconds: 200, catch_up_at: NOW + 200 });
const BEHIND = row({ trend: 'falling_behind', backlog: 545, rate_in: 12, rate_out: 8.5, catch_up_seconds: null, catch_up_at: null,
  catch_up_alone_seconds: 64, conditions: [{ word: 'falling behind', level: 'warn', reason: 'more comes than goes' }] });
const STUCK = row({ state: 'stuck', conditions: [{ word: 'stuck', level: 'bad', reason: '' }, { word: 'draining', level: 'info', reason: '' }] });

test('the time to catch up, with when that is', () => {
  const { main, detail } = catchUp(GAINING, NOW);
  assert.deepEqual([main, detail], ['in 3m 20s', 'clear at 14:32:10']);
});

test('an estimate is marked', () => {
  const { main, detail } = catchUp({ ...GAINING, catch_up_estimated: true }, NOW);
  assert.deepEqual([main, detail], ['~in 3m 20s', 'clear at ~14:32:10']);
});

test('who falls behind is told by how much', () => {
  const { main, detail } = catchUp(BEHIND, NOW);
  assert.deepEqual([main, detail], ['falling behind', 'by 3.5/s, 1m 4s of work waiting']);
});

test('what else there is to say', () => {
  assert.equal(catchUp(row({}), NOW).main, 'caught up');
  assert.equal(catchUp(row({ trend: 'steady', backlog: 5, catch_up_seconds: null }), NOW).main, 'holding steady');
  assert.equal(catchUp(row({ trend: 'unknown', backlog: 5, catch_up_seconds: null }), NOW).main, 'not known');
  assert.equal(catchUp(row({ state: 'orphan', trend: null, backlog: 5 }), NOW).main, 'never');
  assert.equal(catchUp(row({ state: 'paused', backlog: 5 }), NOW).detail, 'until resumed');
  assert.equal(catchUp(row({ state: 'paused', paused_until: NOW + 10 }), NOW).detail, 'not before 14:29:00');
});

test('the headline says when all are clear, or who will not be', () => {
  const told = (more) => {
    const { main, detail } = allClear({ consumer: 'b', others: 0, backlog: 9, ...more }, NOW);
    return [main, detail];
  };
  assert.deepEqual(told({ kind: 'clear' }), ['caught up', '']);
  assert.deepEqual(told({ kind: 'gain', seconds: 400, at: NOW + 400 }), ['in 6m 40s', 'clear at 14:35:30: b']);
  assert.deepEqual(told({ kind: 'gain', seconds: 400, at: NOW + 400, estimated: true }), ['~in 6m 40s', 'clear at ~14:35:30: b']);
  assert.deepEqual(told({ kind: 'paused' }), ['paused', 'b: 9 waiting']);
  assert.deepEqual(told({ kind: 'steady', backlog: 1901, others: 1 }), ['holding steady', 'b and 1 more: 1,901 waiting']);
  assert.deepEqual(told({ kind: 'unknown' }), ['not known', 'b: 9 waiting']);
  assert.deepEqual(told({ kind: 'behind', loss: 3.5, alone: 64 }), ['falling behind', 'b by 3.5/s, 1m 4s of work waiting']);
  assert.deepEqual(told({ kind: 'behind', loss: null, alone: null, others: 1 }), ['falling behind', 'b and 1 more']);
});

test('a state has a level, and one nobody has heard of too', () => {
  assert.deepEqual(look('failed'), { level: 'bad', word: 'failed' });
  assert.deepEqual(look('perplexed'), { level: 'warn', word: 'perplexed' });
});

test('the conditions of a consumer are the words, the worst level and the reasons that the hub gives', () => {
  assert.deepEqual(condition(BEHIND), { level: 'warn', word: 'falling behind', reasons: ['falling behind: more comes than goes'] });
  assert.deepEqual(condition(STUCK), { level: 'bad', word: 'stuck, draining', reasons: [] });
  assert.ok(urgency(STUCK) < urgency(BEHIND));
  assert.ok(urgency(BEHIND) < urgency(row({})));
});

test('problems come first, equals in the order of the alphabet', () => {
  const consumers = { z: row({}), b: row({}), behind: BEHIND, stuck: STUCK, orphan: row({ state: 'orphan', conditions: [{ word: 'orphan', level: 'off', reason: '' }] }) };
  assert.deepEqual(sorted(consumers, NOW, { key: 'state', down: false }), ['stuck', 'behind', 'b', 'z', 'orphan']);
});

test('every column that can be sorted by sorts, also where a number is not known', () => {
  const consumers = { a: row({}), b: { ...BEHIND, oldest_age: 3, utilisation: 1, consume_time: { p95: 2 }, last_error: { time: 1 } } };
  for (const { key, value } of COLUMNS) {
    if (value) assert.equal(sorted(consumers, NOW, { key, down: true }).length, 2);
  }
  for (const key of ['backlog', 'catch_up', 'oldest_age', 'utilisation', 'consume_time', 'last_error']) {
    assert.deepEqual(sorted(consumers, NOW, { key, down: true }), ['b', 'a'], key);
  }
  assert.deepEqual(sorted(consumers, NOW, { key: 'no such', down: true }).length, 2);
});

test('who an operator has paused or drained can be resumed', () => {
  assert.equal(held(row({ state: 'drained', draining: true })), true);
  assert.equal(held(row({ state: 'starting', paused: true })), true);
  assert.equal(held(row({ state: 'running' })), false);
});
