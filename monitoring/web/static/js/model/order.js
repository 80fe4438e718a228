// The columns of the consumers' table, and its order. Pure.

import { catchUp } from './catchup.js';
import { urgency } from './condition.js';

const number = (key) => (row) => row[key] ?? -1;

/** `value` gives what is sorted by; `down`: whether a first click puts the largest on top. */
export const COLUMNS = [
  { key: 'name', label: 'Consumer', value: (row, now, name) => name },
  { key: 'state', label: 'State', value: urgency, help: 'Problems first' },
  { key: 'backlog', label: 'Backlog', value: number('backlog'), down: true, numeric: true, help: 'Messages not done with yet' },
  { key: 'trend', label: 'Last 10 min', value: null },
  { key: 'catch_up', label: 'Time to catch up', value: (row, now) => catchUp(row, now).order, down: true },
  { key: 'rate_in', label: 'In/s', value: number('rate_in'), down: true, numeric: true, help: 'Messages received per second' },
  { key: 'rate_out', label: 'Out/s', value: number('rate_out'), down: true, numeric: true, help: 'Messages done with per second' },
  { key: 'in_flight', label: 'In flight', value: number('in_flight'), down: true, numeric: true, help: 'Being handled now' },
  { key: 'delayed', label: 'Delayed', value: number('delayed'), down: true, numeric: true, help: 'Waiting to be tried again' },
  { key: 'dead_letters', label: 'Dead', value: number('dead_letters'), down: true, numeric: true, help: 'Dead letters that are there now' },
  { key: 'oldest_age', label: 'Oldest', value: number('oldest_age'), down: true, numeric: true, help: 'How long the oldest message has waited' },
  { key: 'utilisation', label: 'Busy', value: number('utilisation'), down: true, numeric: true, help: "Share of its threads' time spent on messages" },
  { key: 'consume_time', label: 'Consume time', under: 'p50, p95 · p99', value: (row) => row.consume_time?.p95 ?? -1, down: true, numeric: true, help: 'p50, p95 and p99 of one call; sorted by p95' },
  { key: 'last_error', label: 'Last error', value: (row) => row.last_error?.time ?? -1, down: true },
];

/** Names of the consumers in order. Equal ones are in the order of the alphabet, so that nothing jumps about. */
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
