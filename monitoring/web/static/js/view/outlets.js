// Exporters, servers, and parts of other kinds: of those the page knows only what the catalogue and their rows say.

import { el } from '../base/dom.js';
import { level, metricOf, text, words } from '../model/catalogue.js';
import { count, NOTHING } from '../model/number.js';
import { parts } from '../model/parts.js';
import { card, Pairs } from './card.js';

export class Outlets {
  constructor() {
    const { node, body } = card('Exporters, servers and other parts');
    this.node = node;
    this.body = body;
    this.parts = new Map();
    this.none = el('p', { class: 'hint' }, 'There are none.');
    body.append(this.none);
  }

  update(snapshot) {
    const rows = parts(snapshot).map(({ section, noun, name, row }) => [`${name} (${noun})`, section, row]);
    const names = new Set(rows.map(([name]) => name));
    this.none.hidden = rows.length > 0;
    for (const [name, section, row] of rows) {
      if (!this.parts.has(name)) this.parts.set(name, this.part(name));
      this.parts.get(name).pairs.show(Object.entries(row).map(([key, value]) => pair(section, key, value)));
    }
    for (const [name, part] of this.parts) {
      if (names.has(name)) continue;
      part.node.remove();
      this.parts.delete(name);
    }
  }

  part(name) {
    const pairs = new Pairs();
    const node = el('article', { class: 'outlet' }, el('h3', {}, name), pairs.node);
    this.body.append(node);
    return { pairs, node };
  }
}

function pair(section, key, value) {
  const metric = metricOf(section, key);
  const shown = metric.unit && typeof value === 'number' ? text(metric, value) : said(value);
  return [metric.title, shown, failure(key, value) ?? level(metric, value), metric.help];
}

/** Level of a state or an error that says that the part fails, or has failed; null: it says nothing of the kind. */
function failure(key, value) {
  if (key === 'state' && value === 'failed') return 'bad';
  return (key === 'error' || key === 'last_error') && value ? 'warn' : null;
}

function said(value) {
  if (value === null || value === undefined) return NOTHING;
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : String(Math.round(value * 1000) / 1000);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  const parts = Object.entries(value).filter(([, one]) => one !== null);
  return parts.map(([key, one]) => (key === 'state' ? said(one) : `${words(key)} ${said(one)}`)).join(', ') || NOTHING;
}
