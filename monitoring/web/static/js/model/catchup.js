// Time to catch up, in the hub's words, with the time of day in the user's time zone. Pure.

import { moment } from './moment.js';

const ORDERS = { clear: 0, unknown: 1e11, steady: 1e12, never: 1e13, behind: Infinity };

/**
 * @param row a consumer of the status.
 * @param now the hub's epoch seconds.
 * @returns {{kind: string, main: string, detail: string, order: number}} two lines, and the key to sort by: the later
 * the backlog is gone the larger; never is the largest.
 */
export function catchUp(row, now) {
  const kind = row.caught_up_kind;
  return { kind, main: row.caught_up, detail: detail(row, now), order: order(row) };
}

/** Time to catch up of the whole hub. @param headline of the status: see hub/stats/headline.py. */
export function allClear(headline, now) {
  const { kind, text, detail, at, estimated } = headline;
  return { kind, main: text, detail: kind === 'gain' ? `${clearAt(at, estimated, now)}: ${detail}` : detail };
}

function detail(row, now) {
  if (row.caught_up_kind === 'gain') return clearAt(row.catch_up_at, row.catch_up_estimated, now);
  if (row.caught_up_kind === 'paused' && row.paused_until) return `not before ${moment(row.paused_until, now)}`;
  return row.caught_up_detail;
}

function clearAt(at, estimated, now) {
  return `clear at ${estimated ? '~' : ''}${moment(at, now)}`;
}

function order(row) {
  if (row.caught_up_kind === 'gain') return row.catch_up_seconds;
  if (row.caught_up_kind === 'paused') return row.backlog > 0 ? 1e14 : 1;
  return ORDERS[row.caught_up_kind];
}
