// Who is told the hub's numbers: exporters and servers.

import { el } from '../base/dom.js';
import { count } from '../model/number.js';
import { card, Pairs } from './card.js';

export class Outlets {
  constructor() {
    const { node, body } = card('Exporters and servers');
    this.node = node;
    this.body = body;
    this.parts = new Map();
    this.none = el('p', { class: 'hint' }, 'There are none.');
    body.append(this.none);
  }

  update({ exporters = {}, servers = {} }) {
    const rows = { ...tagged(exporters, 'exporter'), ...tagged(servers, 'server') };
    this.none.hidden = Object.keys(rows).length > 0;
    for (const [name, row] of Object.entries(rows)) {
      if (!this.parts.has(name)) this.parts.set(name, this.part(name));
      this.parts.get(name).pairs.show(Object.entries(row).map(pair));
    }
    for (const [name, part] of this.parts) {
      if (name in rows) continue;
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

function tagged(rows, kind) {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [`${name} (${kind})`, row]));
}

function pair([key, value]) {
  const bad = (key.includes('fail') && value > 0) || (key === 'last_error' && value);
  return [key.replaceAll('_', ' '), said(value), bad ? 'warn' : null];
}

function said(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : String(Math.round(value * 1000) / 1000);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  const parts = Object.entries(value).filter(([, one]) => one !== null);
  return parts.map(([key, one]) => (key === 'state' ? said(one) : `${key.replaceAll('_', ' ')} ${said(one)}`)).join(', ') || '–';
}
