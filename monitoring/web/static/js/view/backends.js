// Backends: their state, counters and endpoints.

import { Badge } from '../base/badge.js';
import { el, setAttribute, setText } from '../base/dom.js';
import { look } from '../model/condition.js';
import { causes, level, metricOf, text, words } from '../model/catalogue.js';
import { count } from '../model/number.js';
import { card } from './card.js';

export class Backends {
  constructor() {
    const { node, body } = card('Backends', { wide: true });
    this.node = node;
    this.body = body;
    this.lines = new Map();
  }

  update({ backends }) {
    for (const [name, row] of Object.entries(backends)) {
      if (!this.lines.has(name)) this.lines.set(name, this.line(name));
      this.show(this.lines.get(name), row);
    }
    for (const [name, line] of this.lines) {
      if (name in backends) continue;
      line.node.remove();
      this.lines.delete(name);
    }
  }

  line(name) {
    const parts = { badge: new Badge(), figures: el('p', { class: 'figures-line' }), troubles: el('ul', { class: 'troubles' }), endpoints: el('ul', { class: 'endpoints' }), shown: '' };
    parts.node = el('article', { class: 'backend' }, el('h3', {}, name, ' ', parts.badge.node), parts.figures, parts.troubles, parts.endpoints);
    this.body.append(parts.node);
    return parts;
  }

  show(parts, row) {
    parts.badge.show(look(row.state));
    setText(parts.figures, `${row.type ?? ''}: ${figures(row).join(', ')}`);
    const found = troubles(row);
    const lists = JSON.stringify([found, row.endpoints]);
    if (lists === parts.shown) return;
    parts.shown = lists;
    parts.troubles.replaceChildren(...found.map(([number, title, help]) => el('li', { title: help }, el('strong', {}, count(number)), ` ${title}`)));
    parts.endpoints.replaceChildren(...(row.endpoints ?? []).map(endpoint));
    setAttribute(parts.troubles, 'hidden', found.length === 0);
  }
}

const ALWAYS = new Set(['received', 'bytes']);

/** Numbers that are no trouble, in words: the traffic, and others above zero. */
function figures(row) {
  const numbers = Object.entries(row).filter(([key, value]) => typeof value === 'number' && (value > 0 || ALWAYS.has(key)));
  const plain = numbers.map(([key, value]) => [metricOf('backends', key), value]).filter(([metric, value]) => !level(metric, value));
  return plain.map(([metric, value]) => `${metric.title} ${text(metric, value)}`);
}

/** List [number, title, meaning] of all troubles. */
function troubles(row) {
  const metrics = Object.keys(row).map((key) => metricOf('backends', key)).filter((metric) => level(metric, row[metric.key]));
  return metrics.flatMap((metric) => {
    const { key, title, help, by } = metric;
    if (!by) return [[row[key], title, help]];
    return causes(row[key]).map(([cause, number]) => [number, `${title}: ${words(cause)}`, help]);
  });
}

function endpoint(row) {
  const badge = new Badge();
  badge.show(look(row.state));
  const peers = row.peers === 1 ? '1 peer' : `${row.peers ?? 0} peers`;
  return el('li', {}, badge.node, el('code', {}, row.endpoint), el('small', {}, `${row.role ?? ''}, ${peers}`));
}
