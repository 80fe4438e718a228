// Numbers as the catalogue has them: also those of a later hub, of which the page has never heard.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { facts, heading, learn, level, metricOf, text } from '../../../../monitoring/web/static/js/model/catalogue.js';

const metric = (key, more) => ({ section: 'consumers', key, kind: 'counter', unit: '{message}', title: key, help: `${key}.`, by: '', level: 'ok', limit: 0, ...more });

test('all numbers that a row has are shown, in the order of the catalogue', () => {
  learn([
    metric('sneezes', { title: 'sneezed', level: 'bad' }),
    metric('received_bytes', { title: 'received bytes', unit: 'By' }),
    metric('state', { kind: 'states' }),
    metric('absent'),
    metric('commits', { section: 'store' }),
  ]);
  const shown = facts('consumers', { state: 'running', received_bytes: 1536, sneezes: 7 });
  assert.deepEqual(shown, [['Sneezed', '7', 'bad', 'sneezes.'], ['Received bytes', '1.5KiB', null, 'received_bytes.']]);
  assert.deepEqual(facts('exporters', { failed: 1 }), []);
});

test('a number is shown in its unit', () => {
  const shown = (value, more) => text(metric('x', more), value);
  assert.equal(shown(12345), '12,345');
  assert.equal(shown(null), '–');
  assert.equal(shown(200, { unit: 's' }), '3m 20s');
  assert.equal(shown(0.37, { unit: '1' }), '37%');
  assert.equal(shown(3.25, { unit: '{message}/s' }), '3.3');
  assert.equal(shown({ p50: 0.25, p95: null }, { unit: 's', kind: 'quantiles' }), 'p50 250ms, p95 –');
  assert.equal(shown({ newest: 0, not_JSON: 1200, oldest: 1 }, { by: 'cause' }), '1,200 not JSON, 1 oldest');
  assert.equal(shown({ newest: 0 }, { by: 'cause' }), '0');
});

test('a value above its limit has a level', () => {
  assert.equal(level(metric('lost', { level: 'bad' }), 0), null);
  assert.equal(level(metric('lost', { level: 'bad' }), 1), 'bad');
  assert.equal(level(metric('lost', { level: 'bad' }), null), null);
  assert.equal(level(metric('lag', { level: 'warn', limit: 0.25 }), 0.2), null);
  assert.equal(level(metric('lag', { level: 'warn', limit: 0.25 }), 0.3), 'warn');
  assert.equal(level(metric('malformed', { level: 'warn', by: 'cause' }), { a: 0, b: 2 }), 'warn');
  assert.equal(level(metric('malformed', { level: 'warn', by: 'cause' }), {}), null);
});

test('a number that the catalogue lacks has a title made from its key, and no level', () => {
  learn([]);
  assert.equal(heading('backends', 'gone_astray'), 'Gone astray');
  assert.equal(level(metricOf('backends', 'gone_astray'), 5), null);
  assert.equal(text(metricOf('backends', 'gone_astray'), 1200), '1,200');
});
