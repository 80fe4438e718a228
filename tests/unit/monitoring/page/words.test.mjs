// Numbers, lengths of time and moments, as they are shown.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { duration } from '../../../../monitoring/web/static/js/model/duration.js';
import { clock, inputMoment, inputValue, moment, stamp, tick } from '../../../../monitoring/web/static/js/model/moment.js';
import { bytes, compact, count, plural, rate, share } from '../../../../monitoring/web/static/js/model/number.js';

const NOW = Date.UTC(2026, 10, 21, 14, 30, 0) / 1000;

function shown(convert, pairs) {
  for (const [value, text] of pairs) assert.equal(convert(value), text);
}

// The command has the same: tests/unit/test_units.py reads these cases too.
const shared = JSON.parse(readFileSync(new URL('../../shown.json', import.meta.url)));

test('the page and the command show the same', () => {
  shown(duration, shared.duration);
  shown(bytes, shared.size);
  shown(share, shared.share);
  shown(rate, shared.rate);
  for (const convert of [duration, bytes, share, rate]) shown(convert, [[null, '–'], [undefined, '–']]);
});

test('numbers', () => {
  shown(count, [[null, '–'], [0, '0'], [12345, '12,345']]);
  shown(compact, [[0, '0'], [0.5, '0.5'], [999, '999'], [1500, '1.5k'], [2e6, '2M']]);
  assert.equal(plural(1, 'message'), '1 message');
  assert.equal(plural(1200, 'message'), '1,200 messages');
});

test('moments say the day only where it is another one', () => {
  assert.equal(moment(NOW + 130, NOW), '14:32:10');
  assert.equal(moment(NOW + 6 * 3600, NOW), '20:30');
  assert.equal(moment(NOW + 12 * 3600, NOW), 'tomorrow 02:30');
  assert.equal(moment(NOW - 24 * 3600, NOW), 'yesterday 14:30');
  assert.equal(moment(NOW + 3 * 86400, NOW), 'Tue 14:30');
  assert.equal(moment(NOW + 30 * 86400, NOW), '2026-12-21 14:30');
  assert.equal(stamp(NOW), '2026-11-21 14:30:00');
  assert.equal(clock(NOW), '14:30:00');
});

test('what is entered is what was shown', () => {
  assert.equal(inputMoment(inputValue(NOW + 0.7)), NOW);
  assert.equal(inputMoment(''), null);
  assert.equal(inputMoment('soon'), null);
});

test('labels of a time axis', () => {
  assert.equal(tick(NOW, 10), '14:30:00');
  assert.equal(tick(NOW, 600), '14:30');
  assert.equal(tick(NOW - 14.5 * 3600, 21600), 'Sat 21');
  assert.equal(tick(NOW, 86400), 'Sat 21');
});
