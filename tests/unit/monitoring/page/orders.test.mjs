// Dead letters by what killed them, streams of lines, and what is sent to the hub.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { route, consumerAddress } from '../../../../monitoring/web/static/js/base/routes.js';
import { grouped, numbers, readable } from '../../../../monitoring/web/static/js/model/letters.js';
import { Lines, objects } from '../../../../monitoring/web/static/js/model/lines.js';
import { pauseOrder, publishOrder, replayOrder, topics } from '../../../../monitoring/web/static/js/model/orders.js';

function letter(number, error, reason) {
  return { number, error, reason, buried_at: 100 + number };
}

function form(fields) {
  return new Map(Object.entries(fields));
}

test('dead letters are grouped by error and reason, the most frequent first', () => {
  const groups = grouped([letter(1, 'KeyError', "'a'"), letter(2, '', 'no'), letter(3, '', 'no'), letter(4, 'KeyError', "'b'")]);
  assert.deepEqual(groups.map((group) => numbers(group.letters)), [[2, 3], [4], [1]]);
  assert.deepEqual([groups[0].first, groups[0].last], [102, 103]);
});

test('a body that is JSON is indented, any other is left alone', () => {
  assert.equal(readable('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(readable('<b>'), '<b>');
});

test('lines come in pieces', () => {
  const lines = new Lines();
  const fed = (text) => objects(lines.feed(text));
  assert.deepEqual(fed('{"a": 1}\n{"b"'), [{ a: 1 }]);
  assert.deepEqual(fed(': 2}\n\n'), [{ b: 2 }]);
});

test('a replay needs a beginning and an end', () => {
  const order = replayOrder('slow', form({ since: '2026-11-21T10:00:00', until: '2026-11-21T11:00:00', topics: 'a.# , b.*' }), true);
  assert.deepEqual([order.until - order.since, order.topics, order.dry_run], [3600, ['a.#', 'b.*'], true]);
  assert.throws(() => replayOrder('slow', form({ since: '', until: '2026-11-21T11:00:00' }), true), /begin and the end/);
  assert.throws(() => replayOrder('slow', form({ since: '2026-11-21T11:00:00', until: '2026-11-21T11:00:00' }), true), /must be after/);
  assert.deepEqual(topics('  '), []);
});

test('a pause ends when it was said to', () => {
  assert.deepEqual(pauseOrder('slow', 'resumed', '', 1000), { consumer: 'slow' });
  assert.deepEqual(pauseOrder('slow', '300', '', 1000), { consumer: 'slow', until: 1300 });
  assert.throws(() => pauseOrder('slow', 'time', '', 1000), /end of the pause/);
  assert.throws(() => pauseOrder('slow', 'time', '1980-01-01T00:00:00', 1e9), /in the future/);
});

test('what is published has a topic, and a body that is JSON', () => {
  assert.deepEqual(publishOrder(' a.b ', '{"x": 1}', 'bus'), { topic: 'a.b', body: { x: 1 }, backend: 'bus' });
  assert.throws(() => publishOrder('', '{}', ''), /topic/);
  assert.throws(() => publishOrder('a', '{', ''), /not JSON/);
});

test('the address names the view', () => {
  assert.deepEqual(route(''), { view: 'consumers' });
  assert.deepEqual(route('#/hub'), { view: 'hub' });
  assert.deepEqual(route(consumerAddress('a/b <c>')), { view: 'consumer', name: 'a/b <c>' });
  assert.deepEqual(route('#/consumer/%'), { view: 'consumer', name: '%' });
});
