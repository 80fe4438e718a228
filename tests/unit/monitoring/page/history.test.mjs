// The numbers behind the graphs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { backlogColumns, buckets, projection, runs, Series } from '../../../../monitoring/web/static/js/model/series.js';

const GAINING = { trend: 'catching_up', backlog: 100, catch_up_seconds: 50, rate_in: 1, rate_out: 3 };

function filled(values) {
  const series = new Series(600);
  series.load({ step: 10, start: 1000 }, { backlog: values, backlog_max: values.map((value) => value && value * 2), rate_in: values, rate_out: values });
  return series;
}

test('a history is taken over; a late sample is drawn across, a gap is not', () => {
  assert.deepEqual(filled([1, null, 2, null, null, null, null, 3]).mean, [1, 2, null, 3]);
  assert.deepEqual(filled([null, null, null, null, 3]).times, [1040]);
  const series = filled([1, null, 3]);
  assert.deepEqual(series.times, [1000, 1020]);
  assert.deepEqual(series.peak(), { value: 6, time: 1020 });
  assert.equal(filled([]).peak(), null);
});

test('a consumer without a history has none', () => {
  const series = new Series(600);
  series.load({ step: 1, start: 0 }, undefined);
  assert.deepEqual(series.times, []);
});

test('samples are added as they come, and the oldest go', () => {
  const series = new Series(5);
  for (let time = 0; time < 20; time += 1) series.append(time, { ...GAINING, backlog: time });
  series.append(19, { ...GAINING, backlog: 99 });
  assert.deepEqual(series.times, [14, 15, 16, 17, 18, 19]);
  assert.deepEqual(series.mean.at(-1), 19);
  assert.equal(series.out.length, 6);
});

test('the way to where it is clear', () => {
  assert.deepEqual(projection(GAINING, 2000, 300), { times: [2000, 2050], values: [100, 0] });
  assert.deepEqual(projection(GAINING, 2000, 25), { times: [2000, 2025], values: [100, 50] });
  assert.deepEqual(projection({ ...GAINING, trend: 'steady' }, 2000, 25).times, []);
});

test('the columns of the graph are of one length, and the projection begins where the past ends', () => {
  const columns = backlogColumns(filled([1, 2, 3]), GAINING, 1020, 300, false);
  assert.deepEqual(columns, [
    [1000, 1010, 1020, 1070],
    [1, 2, 100, null],
    [2, 4, 100, null],
    [null, null, 100, 0],
  ]);
  assert.equal(backlogColumns(filled([1, 2, 3]), GAINING, 1020, 300, true).length, 3);
  assert.deepEqual(backlogColumns(filled([1, 2]), { trend: 'idle' }, 1020, 300, true), [[1000, 1010], [1, 2], [null, null]]);
});

test('a sparkline keeps what stands out', () => {
  assert.deepEqual(buckets([0, 1, 2, 3], [5, 900, null, 7], 4, 4, 2), [900, 7]);
  assert.deepEqual(buckets([-50, 3], [5, 7], 4, 4, 4), [null, null, null, 7]);
});

test('a sparkline is broken where nothing is known', () => {
  assert.deepEqual(runs([null, 5, 6, null, null, 7]), [[[1, 5], [2, 6]], [[5, 7]]]);
  assert.deepEqual(runs([5, null, 0]), [[[0, 5]], [[2, 0]]]);
  assert.deepEqual(runs([null, null]), []);
});
