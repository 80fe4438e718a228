// Catalogue of the status: the title, unit, meaning and level of each number, as the hub declares them
// (hub/status/metric.py). A number that a later hub has is shown too. Pure.

import { duration } from './duration.js';
import { bytes, count, rate, share, NOTHING } from './number.js';

const sections = new Map();
const NOT_SHOWN = new Set(['states', 'flag', 'histogram']);
/* Kinds that badges, banners and graphs show. */

/** Learn the catalogue: the answer of GET /catalogue. */
export function learn(metrics) {
  sections.clear();
  for (const metric of metrics) {
    if (!sections.has(metric.section)) sections.set(metric.section, new Map());
    sections.get(metric.section).set(metric.key, metric);
  }
}

/** The metric of a number. One that the catalogue lacks has only a title, made from its key. */
export function metricOf(section, key) {
  return sections.get(section)?.get(key) ?? { key, kind: 'gauge', title: words(key), unit: '', help: null, level: 'ok', limit: 0 };
}

/** A key or a cause as words: "in_flight" -> "in flight". */
export function words(key) {
  return key.replaceAll('_', ' ');
}

/** Title of a number as the head of a column or a list: "In flight". */
export function heading(section, key) {
  const { title } = metricOf(section, key);
  return title[0].toUpperCase() + title.slice(1);
}

/** A number as text, in its unit: "12", "3.4s", "1.5KiB", "p50 3ms, p95 9ms, p99 1s", "2 newest, 1 expired". */
export function text({ kind, unit, by }, value) {
  if (value === null || value === undefined) return NOTHING;
  if (kind === 'quantiles') return Object.entries(value).map(([name, one]) => `${name} ${text({ unit }, one)}`).join(', ');
  if (by) return causes(value).map(([cause, number]) => `${count(number)} ${words(cause)}`).join(', ') || '0';
  if (unit === 's') return duration(value);
  if (unit === 'By') return bytes(value);
  if (unit === '1') return share(value);
  return unit?.endsWith('/s') ? rate(value) : count(value);
}

/** Level of a value, such as 'warn'; null: any value is all right. */
export function level(metric, value) {
  const number = metric.by ? causes(value).length : value;
  return metric.level !== 'ok' && number > metric.limit ? metric.level : null;
}

/** Causes with a number above zero: [cause, number]. */
export function causes(value) {
  return Object.entries(value ?? {}).filter(([, number]) => number > 0);
}

/** Facts: [title, text, level, meaning] of each number of the catalogue that the row has. */
export function facts(section, row) {
  const known = [...(sections.get(section)?.values() ?? [])].filter(({ key, kind }) => key in row && !NOT_SHOWN.has(kind));
  return known.map((metric) => [heading(section, metric.key), text(metric, row[metric.key]), level(metric, row[metric.key]), metric.help]);
}
