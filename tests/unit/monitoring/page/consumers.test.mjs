// What is said of a consumer, and the order of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allClear, catchUp } from '../../../../monitoring/web/static/js/model/catchup.js';
import { condition, held, look, urgency } from '../../../../monitoring/web/static/js/model/condition.js';
import { COLUMNS, sorted } from '../../../../monitoring/web/static/js/model/order.js';

const NOW = Date.UTC(2026, 10, 21, 14, 28, 50) / 1000;

function row(more) {
  return { state: 'running', trend: 'idle', backlog: 0, rate_in: 0, rate_out: 0, catch_up_seconds: 0, catch_up_at: NOW, ...more };
}

const GAINING = row({ trend: 'catching_up', backlog: 545, catch_up_seconds: 200, catch_up_at: NOW + 200 });
const BEHIND = row({ trend: 'falling_behind', backlog: 545, rate_in: 12, rate_out: 8.5, catch_up_seconds: null, catch_up_at: null });

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
  assert.deepEqual([main, detail], ['falling behind', 'by 3.5/s']);
});

test('what else there is to say', () => {
  assert.equal(catchUp(row({}), NOW).main, 'caught up');
  assert.equal(catchUp(row({ trend: 'steady', backlog: 5, catch_up_seconds: null }), NOW).main, 'holding steady');
  assert.equal(catchUp(row({ trend: 'unknown', backlog: 5, catch_up_seconds: null }), NOW).main, 'not known');
  assert.equal(catchUp(row({ state: 'orphan', trend: null, backlog: 5 }), NOW).main, 'never');
  assert.equal(catchUp(row({ state: 'paused', backlog: 5 }), NOW).detail, 'until resumed');
  assert.equal(catchUp(row({ state: 'paused', paused_until: NOW + 10 }), NOW).detail, 'not before 14:29:00');
});

test('all are clear when the last one is, which is named', () => {
  assert.equal(allClear({ a: row({}), b: row({ state: 'orphan', backlog: 9 }) }, NOW).main, 'caught up');
  const later = { ...GAINING, catch_up_seconds: 400, catch_up_at: NOW + 400 };
  const both = allClear({ a: GAINING, b: later }, NOW);
  assert.deepEqual([both.main, both.detail], ['in 6m 40s', 'clear at 14:35:30: b']);
  const paused = row({ state: 'paused', backlog: 9 });
  assert.equal(allClear({ a: GAINING, b: paused }, NOW).main, 'in 3m 20s');
  assert.deepEqual(allClear({ b: paused }, NOW).detail, 'b');
  const worse = allClear({ a: GAINING, b: BEHIND, c: BEHIND }, NOW);
  assert.deepEqual([worse.main, worse.detail], ['falling behind', 'b and 1 more']);
});

test('a state has a level, and one nobody has heard of too', () => {
  assert.deepEqual(look('stuck'), { level: 'bad', word: 'stuck' });
  assert.deepEqual(look('perplexed'), { level: 'warn', word: 'perplexed' });
  assert.equal(condition(BEHIND).word, 'behind');
  assert.equal(condition({ ...BEHIND, backlog: 3 }).word, 'running');
  assert.ok(urgency(row({ state: 'stuck' })) < urgency(BEHIND));
  assert.ok(urgency(BEHIND) < urgency(row({})));
});

test('problems come first, equals in the order of the alphabet', () => {
  const consumers = { z: row({}), b: row({}), behind: BEHIND, stuck: row({ state: 'stuck' }), orphan: row({ state: 'orphan' }) };
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

test('what was ordered stands beside a state that says something else', () => {
  assert.deepEqual(condition(row({ state: 'stuck', draining: true })), { level: 'bad', word: 'stuck, draining' });
  assert.deepEqual(condition(row({ state: 'drained', draining: true })), { level: 'info', word: 'drained' });
  assert.equal(held(row({ state: 'starting', paused: true })), true);
  assert.equal(held(row({ state: 'running' })), false);
});
