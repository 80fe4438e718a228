// When a backlog will be gone, in the words of `hubbub status`. Pure.

import { duration } from './duration.js';
import { moment } from './moment.js';
import { count, rate } from './number.js';

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
    return line('behind', 'falling behind', behind(about, loss, row.catch_up_alone_seconds), Infinity);
  }
  if (row.trend === 'steady') return line('steady', 'holding steady', '', 1e12);
  if (row.state === 'orphan') return line('none', 'never', 'nobody consumes it', 1e13);
  return line('unknown', 'not known', '', 1e11);
}

/** The whole hub. @param headline of the status: see hub/stats/headline.py. */
export function allClear(headline, now) {
  const { kind, consumer, others, backlog } = headline;
  const who = others ? `${consumer} and ${others} more` : consumer;
  if (kind === 'clear') return line('clear', 'caught up', '', 0);
  if (kind === 'gain') {
    const about = headline.estimated ? '~' : '';
    return line('gain', `${about}in ${duration(headline.seconds)}`, `clear at ${about}${moment(headline.at, now)}: ${consumer}`, 0);
  }
  if (kind === 'behind') return line('behind', 'falling behind', `${who} ${behind('', headline.loss ?? 0, headline.alone)}`.trim(), 0);
  const words = { steady: 'holding steady', unknown: 'not known', paused: 'paused' };
  return line(kind, words[kind], `${who}: ${count(backlog)} waiting`, 0);
}

/** By how much, and how long the backlog would take if nothing more came. */
function behind(about, loss, alone) {
  const by = loss >= 0.05 ? `by ${about}${rate(loss)}/s` : '';
  const left = alone === null || alone === undefined ? '' : `${duration(alone)} of work waiting`;
  return [by, left].filter(Boolean).join(', ');
}

function paused(row, now) {
  const detail = row.paused_until ? `not before ${moment(row.paused_until, now)}` : 'until resumed';
  return line('paused', 'paused', detail, row.backlog > 0 ? 1e14 : 1);
}

function line(kind, main, detail, order) {
  return { kind, main, detail, order };
}
