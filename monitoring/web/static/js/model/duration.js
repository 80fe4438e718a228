// Durations as text, the same as the command shows. Pure; all in seconds.

import { NOTHING } from './number.js';

const UNITS = [['d', 86400, 'h', 3600], ['h', 3600, 'm', 60], ['m', 60, 's', 1]];

/** The two largest units that matter: 0.25 -> "250ms", 3.42 -> "3.4s", 200 -> "3m 20s", 7500 -> "2h 5m"; null -> "–". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds === 0) return '0s';
  if (seconds < 0.001) return `${(seconds * 1e6).toFixed(0)}us`;
  if (seconds < 0.9995) return `${(seconds * 1e3).toFixed(0)}ms`;
  if (seconds < 59.5) return `${seconds < 9.95 && seconds % 1 ? trimmed(seconds) : seconds.toFixed(0)}s`;
  const whole = Math.round(seconds);
  const [unit, size, below, part] = UNITS.find(([, one]) => whole >= one);
  const rest = Math.floor((whole % size) / part);
  return `${Math.floor(whole / size)}${unit}${rest ? ` ${rest}${below}` : ''}`;
}

/** The upper percentiles of a duration: "p95 3ms · p99 9ms"; empty if they are not known. */
export function percentiles({ p95, p99 }) {
  return p95 === null || p95 === undefined ? '' : `p95 ${duration(p95)} · p99 ${duration(p99)}`;
}

function trimmed(value) {
  return value.toFixed(1).replace('.0', '');
}
