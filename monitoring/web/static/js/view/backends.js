// Where messages come from.

import { Badge } from '../base/badge.js';
import { el, setAttribute, setText } from '../base/dom.js';
import { look } from '../model/condition.js';
import { bytes, count } from '../model/number.js';
import { card } from './card.js';

const TROUBLES = [
  ['gaps', 'missing from their publishers'],
  ['lost', 'lost in the socket'],
  ['unread', 'left unread at the last stop'],
  ['refused', 'refused'],
  ['publish_failed', 'not published'],
  ['handshake_failures', 'failed handshakes'],
  ['accept_failures', 'failed accepts'],
  ['disconnects', 'disconnects'],
  ['revivals', 'connections made anew'],
];
const KNOWN = new Set(['type', 'state', 'received', 'bytes', 'malformed', 'endpoints', 'subscriptions', ...TROUBLES.map(([key]) => key)]);

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
    const others = Object.entries(row).filter(([key, value]) => !KNOWN.has(key) && typeof value === 'number' && value > 0);
    const more = others.map(([key, value]) => `, ${key.replaceAll('_', ' ')} ${count(value)}`).join('');
    setText(parts.figures, `${row.type ?? ''}: received ${count(row.received)}, ${bytes(row.bytes)}${more}`);
    const lists = JSON.stringify([troubles(row), row.endpoints]);
    if (lists === parts.shown) return;
    parts.shown = lists;
    parts.troubles.replaceChildren(...troubles(row).map(([number, text]) => el('li', {}, el('strong', {}, count(number)), ` ${text}`)));
    parts.endpoints.replaceChildren(...(row.endpoints ?? []).map(endpoint));
    setAttribute(parts.troubles, 'hidden', troubles(row).length === 0);
  }
}

/** [number, what] of all that went wrong. */
function troubles(row) {
  const found = TROUBLES.map(([key, text]) => [row[key] ?? 0, text]);
  const malformed = Object.entries(row.malformed ?? {}).map(([kind, number]) => [number, `malformed: ${kind.replaceAll('_', ' ')}`]);
  return [...found, ...malformed].filter(([number]) => number > 0);
}

function endpoint(row) {
  const badge = new Badge();
  badge.show(look(row.state));
  const peers = row.peers === 1 ? '1 peer' : `${row.peers ?? 0} peers`;
  return el('li', {}, badge.node, el('code', {}, row.endpoint), el('small', {}, `${row.role ?? ''}, ${peers}`));
}
