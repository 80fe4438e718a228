// What is said of a consumer, and the order of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { learn } from '../../../../monitoring/web/static/js/model/catalogue.js';
import { allClear, catchUp } from '../../../../monitoring/web/static/js/model/catchup.js';
import { condition, look, urgency } from '../../../../monitoring/web/static/js/model/condition.js';
import { COLUMNS, helpOf, labelOf, sorted } from '../../../../monitoring/web/static/js/model/order.js';

const NOW = Date.UTC(2026, 10, 21, 14, 28, 50) / 1000;

function row(more) {
  return { state: 'running', condition: 'running', conditions: [{ word: 'running', level: 'ok', reason: '' }], backlog: 0, caught_up: 'now', caught_up_detail: '', caught_up_kind: 'clear', catch_up_seconds: 0, catch_up_at: NOW, ...more };
}

const GAINING = row({ caught_up: 'in 3m 20s', caught_up_kind: 'gain', backlog: 545, catch_up_seconds: 200, catch_up_at: NOW + 200 });
const BEHIND = row({ caught_up: 'falling behind', caught_up_kind: 'behind', caught_up_detail: 'by 3.5/s, 1m 4s of work waiting', backlog: 545, catch_up_seconds: null, catch_up_at: null,
  condition: 'falling behind', conditions: [{ word: 'falling behind', level: 'warn', reason: 'more comes than goes' }] });
const STUCK = row({ state: 'stuck', condition: 'stuck, draining', conditions: [{ word: 'stuck', level: 'bad', reason: '' }, { word: 'draining', level: 'info', reason: '' }] });

test('the time to catch up, with when that is', () => {
  const { main, detail } = catchUp(GAINING, NOW);
  assert.deepEqual([main, detail], ['in 3m 20s', 'clear at 14:32:10']);
});

test('an estimate is marked', () => {
  const { main, detail } = catchUp({ ...GAINING, caught_up: '~in 3m 20s', catch_up_estimated: true }, NOW);
  assert.deepEqual([main, detail], ['~in 3m 20s', 'clear at ~14:32:10']);
});

test('who falls behind is told by how much', () => {
  const { main, detail } = catchUp(BEHIND, NOW);
  assert.deepEqual([main, detail], ['falling behind', 'by 3.5/s, 1m 4s of work waiting']);
});

test('the words are the hub\'s; the time of day is the reader\'s', () => {
  assert.deepEqual(catchUp(row({}), NOW), { kind: 'clear', main: 'now', detail: '', order: 0 });
  const known = (kind, text, more) => catchUp(row({ caught_up_kind: kind, caught_up: text, backlog: 5, ...more }), NOW);
  assert.equal(known('steady', 'holding steady').main, 'holding steady');
  assert.equal(known('unknown', 'not known').main, 'not known');
  assert.deepEqual([known('never', 'never', { caught_up_detail: 'nobody consumes it' }).detail], ['nobody consumes it']);
  assert.equal(known('paused', 'paused', { caught_up_detail: 'until resumed' }).detail, 'until resumed');
  assert.equal(known('paused', 'paused', { paused_until: NOW + 10 }).detail, 'not before 14:29:00');
});

test('the later one is clear the further down it is', () => {
  const kinds = ['clear', 'gain', 'unknown', 'steady', 'never', 'paused', 'behind'];
  const orders = kinds.map((kind) => catchUp(row({ caught_up_kind: kind, backlog: 5, catch_up_seconds: 200 }), NOW).order);
  assert.deepEqual([...orders].sort((a, b) => a - b), orders);
});

test('the headline says when all are clear, or who will not be', () => {
  const told = (more) => {
    const { main, detail } = allClear(more, NOW);
    return [main, detail];
  };
  assert.deepEqual(told({ kind: 'clear', text: 'now', detail: '' }), ['now', '']);
  const gain = { kind: 'gain', text: 'in 6m 40s', detail: 'b', at: NOW + 400 };
  assert.deepEqual(told(gain), ['in 6m 40s', 'clear at 14:35:30: b']);
  assert.deepEqual(told({ ...gain, text: '~in 6m 40s', estimated: true }), ['~in 6m 40s', 'clear at ~14:35:30: b']);
  assert.deepEqual(told({ kind: 'behind', text: 'falling behind', detail: 'b by 3.5/s' }), ['falling behind', 'b by 3.5/s']);
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

test('a column has the title and the meaning of its number', () => {
  learn([{ section: 'consumers', key: 'catch_up_seconds', title: 'time to catch up', help: 'Until there is no backlog.' }]);
  const head = (key) => [labelOf, helpOf].map((found) => found(COLUMNS.find((column) => column.key === key)));
  assert.deepEqual(head('catch_up'), ['Time to catch up', 'Until there is no backlog.']);
  assert.deepEqual(head('state'), ['State', 'Problems first']);
  assert.deepEqual(head('in_flight'), ['In flight', null]);
});
