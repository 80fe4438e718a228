// Numbers, lengths of time and moments, as they are shown.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { brief, duration } from '../../../../monitoring/web/static/js/model/duration.js';
import { clock, inputMoment, inputValue, moment, stamp, tick } from '../../../../monitoring/web/static/js/model/moment.js';
import { bytes, compact, count, plural, rate, share } from '../../../../monitoring/web/static/js/model/number.js';

const NOW = Date.UTC(2026, 10, 21, 14, 30, 0) / 1000;

function shown(convert, pairs) {
  for (const [value, text] of pairs) assert.equal(convert(value), text);
}

test('lengths of time are as short as they can be', () => {
  shown(duration, [[null, '–'], [undefined, '–'], [0, '0s'], [0.4, '<1s'], [0.99, '1s'], [59.4, '59s'], [59.6, '1m 00s']]);
  shown(duration, [[200, '3m 20s'], [3599.9, '1h 00m'], [7500, '2h 05m'], [86399, '1d 0h'], [180000, '2d 2h'], [1e7, '116d']]);
});

test('lengths of a call keep two figures', () => {
  shown(brief, [[null, '–'], [0, '0 ms'], [1e-8, '<0.1 µs'], [4.2e-6, '4.2 µs'], [0.0004, '400 µs'], [0.0009996, '1.0 ms'], [0.0012, '1.2 ms'], [0.00996, '10 ms'], [0.012, '12 ms'], [0.9996, '1.0 s'], [1.23, '1.2 s'], [12.3, '12 s'], [90, '1m 30s']]);
});

test('numbers', () => {
  shown(count, [[null, '–'], [0, '0'], [12345, '12,345']]);
  shown(rate, [[null, '–'], [0, '0'], [0.04, '0'], [0.4, '0.4'], [9.94, '9.9'], [152.4, '152']]);
  shown(share, [[null, '–'], [0.374, '37 %'], [1, '100 %']]);
  shown(bytes, [[null, '–'], [0, '0 B'], [1023, '1,023 B'], [1536, '1.5 KiB'], [345 * 2 ** 20, '345 MiB'], [2 ** 50, '1,024 TiB']]);
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
