// Columns of the consumers' table, and its order. Pure.

import { heading, metricOf } from './catalogue.js';
import { catchUp } from './catchup.js';
import { urgency } from './condition.js';

/** A column of a number of the catalogue. */
function number(key, value = (row) => row[key] ?? -1) {
  return { key, value, down: true, numeric: true };
}

/** `value` returns the sort key; `down`: whether the first click puts the largest on top; `metric`: the number's key, if another. */
export const COLUMNS = [
  { key: 'name', label: 'Consumer', value: (row, now, name) => name },
  { key: 'state', label: 'State', value: urgency, help: 'Problems first' },
  number('backlog'),
  { key: 'trend', label: 'Last 10 min', value: null },
  { key: 'catch_up', metric: 'catch_up_seconds', value: (row, now) => catchUp(row, now).order, down: true },
  number('rate_in'),
  number('rate_out'),
  number('in_flight'),
  number('delayed'),
  number('dead_letters'),
  number('readers'),
  number('oldest_age'),
  number('utilisation'),
  { ...number('consume_time', (row) => row.consume_time?.p95 ?? -1), under: 'p50, p95 · p99', help: 'p50, p95 and p99 of one call; sorted by p95' },
  { key: 'last_error', label: 'Last error', value: (row) => row.last_error?.time ?? -1, down: true },
];

/** Head of a column: its own, or the catalogue's. */
export function labelOf({ key, label, metric = key }) {
  return label ?? heading('consumers', metric);
}

/** Help of a column: its own, or the catalogue's. */
export function helpOf({ key, label, help, metric = key }) {
  return help ?? (label ? null : metricOf('consumers', metric).help);
}

/** Names of the consumers in order; equal ones are sorted by name, so that the order is stable. */
export function sorted(consumers, now, { key, down }) {
  const column = COLUMNS.find((one) => one.key === key && one.value) ?? COLUMNS[1];
  const decorated = Object.entries(consumers).map(([name, row]) => [column.value(row, now, name), name]);
  const sign = down ? -1 : 1;
  decorated.sort(([a, one], [b, other]) => sign * compare(a, b) || compare(one, other));
  return decorated.map(([, name]) => name);
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
