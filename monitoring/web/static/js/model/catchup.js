// When a backlog will be gone, in the words of `hubbub status`. Pure.

import { duration } from './duration.js';
import { moment } from './moment.js';
import { rate } from './number.js';

/**
 * @param row a consumer of the status.
 * @param now the hub's epoch seconds.
 * @returns {{kind: string, main: string, detail: string, order: number}} two lines, and by what to sort: the later
 * it is clear the larger, never is the largest.
 */
export function catchUp(row, now) {
  if (row.state === 'paused') return paused(row, now);
  if (row.trend === 'idle' || row.backlog === 0) return line('clear', 'caught up', '', 0);
  const about = row.catch_up_estimated ? '~' : '';
  if (row.trend === 'catching_up' && row.catch_up_seconds !== null) {
    const detail = `clear at ${about}${moment(row.catch_up_at, now)}`;
    return line('gain', `${about}in ${duration(row.catch_up_seconds)}`, detail, row.catch_up_seconds);
  }
  if (row.trend === 'falling_behind') {
    const loss = (row.rate_in ?? 0) - (row.rate_out ?? 0);
    return line('behind', 'falling behind', loss >= 0.05 ? `by ${about}${rate(loss)}/s` : '', Infinity);
  }
  if (row.trend === 'steady') return line('steady', 'holding steady', '', 1e12);
  if (row.state === 'orphan') return line('none', 'never', 'nobody consumes it', 1e13);
  return line('unknown', 'not known', '', 1e11);
}

/**
 * When all of them are clear: as of the last one to be, which is named. Orphans are left out: they never are. So are
 * those that are paused, unless nobody else is behind: it is known that they wait, and for whom.
 * @param consumers of the status, by name.
 */
export function allClear(consumers, now) {
  const behind = Object.entries(consumers)
    .filter(([, row]) => row.backlog > 0 && row.state !== 'orphan')
    .map(([name, row]) => ({ ...catchUp(row, now), name }));
  if (behind.length === 0) return line('clear', 'caught up', '', 0);
  const working = behind.filter((one) => one.kind !== 'paused');
  const last = (working.length ? working : behind).reduce((latest, next) => (next.order > latest.order ? next : latest));
  const others = behind.filter((one) => one.kind === last.kind).length - 1;
  if (last.kind === 'gain') return { ...last, detail: `${last.detail}: ${last.name}` };
  return { ...last, detail: others ? `${last.name} and ${others} more` : last.name };
}

function paused(row, now) {
  const detail = row.paused_until ? `not before ${moment(row.paused_until, now)}` : 'until resumed';
  return line('paused', 'paused', detail, row.backlog > 0 ? 1e14 : 1);
}

function line(kind, main, detail, order) {
  return { kind, main, detail, order };
}
