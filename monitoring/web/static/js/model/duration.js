// Lengths of time as an operator reads them. Pure; seconds all through.

import { NOTHING } from './number.js';

const pad = (value) => String(value).padStart(2, '0');

/** 200 -> "3m 20s", 7500 -> "2h 05m", 180000 -> "2d 2h"; null -> "–". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds > 0 && seconds < 0.95) return '<1s';
  const total = Math.round(seconds);
  if (total < 60) return `${total}s`;
  if (total < 3600) return `${Math.floor(total / 60)}m ${pad(total % 60)}s`;
  const minutes = Math.round(total / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  const hours = Math.round(total / 3600);
  if (hours < 100 * 24) return `${Math.floor(hours / 24)}d ${hours % 24}h`;
  return `${Math.round(hours / 24)}d`;
}

/** Of a single call: 0.0004 -> "0.40 ms", 0.012 -> "12 ms", 1.23 -> "1.2 s", 90 -> "1m 30s". */
export function brief(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds >= 60) return duration(seconds);
  if (seconds >= 0.9995) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const thousandths = seconds * 1000;
  if (thousandths >= 10) return `${Math.round(thousandths)} ms`;
  return `${thousandths >= 1 ? thousandths.toFixed(1) : thousandths.toFixed(2)} ms`;
}
