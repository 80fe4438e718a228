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

/** Of a single call: 0.0000042 -> "4.2 µs", 0.0004 -> "400 µs", 0.012 -> "12 ms", 1.23 -> "1.2 s", 90 -> "1m 30s". */
export function brief(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds >= 60) return duration(seconds);
  if (seconds >= 0.9995) return `${figures(seconds)} s`;
  if (seconds >= 0.0009995 || seconds === 0) return `${figures(seconds * 1e3)} ms`;
  return seconds < 0.0000001 ? '<0.1 µs' : `${figures(seconds * 1e6)} µs`;
}

/** Two at least: 4.25 -> "4.3", 42.5 -> "43"; 0 -> "0". */
function figures(value) {
  return value > 0 && value < 9.95 ? value.toFixed(1) : String(Math.round(value));
}
