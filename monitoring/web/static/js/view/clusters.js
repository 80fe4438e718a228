// Clusters: all hubs that announce themselves on a bus, and their queues together. Nothing is shown for a hub in no cluster.

import { Badge } from '../base/badge.js';
import { el } from '../base/dom.js';
import { facts, heading, metricOf, text } from '../model/catalogue.js';
import { look } from '../model/condition.js';
import { duration } from '../model/duration.js';
import { plural } from '../model/number.js';
import { card, line, Pairs, table } from './card.js';

const NODE_NUMBERS = ['backlog', 'rate_in', 'rate_out', 'oldest_age', 'dead_letters'];
const QUEUE_NUMBERS = ['nodes', 'backlog', 'in_flight', 'rate_in', 'rate_out', 'oldest_age', 'dead_letters'];
const LONGEST_SHOWN = 80;

export class Clusters {
  constructor() {
    this.node = el('div', { class: 'detail', hidden: true });
    this.cards = new Map();
  }

  update({ clusters, hub }) {
    const rows = Object.entries(clusters ?? {}).filter(([, row]) => row.nodes);
    this.node.hidden = rows.length === 0;
    for (const [name, row] of rows) {
      if (!this.cards.has(name)) this.cards.set(name, new ClusterCard(name, this.node));
      this.cards.get(name).update(row, hub.time);
    }
    for (const [name, one] of this.cards) {
      if (rows.some(([known]) => known === name)) continue;
      one.node.remove();
      this.cards.delete(name);
    }
  }
}

class ClusterCard {
  constructor(name, parent) {
    const { node, head, body } = card(`Cluster ${name}`, { wide: true });
    this.node = node;
    this.badge = new Badge();
    this.summary = el('p', { class: 'figures-line' });
    this.pairs = new Pairs();
    this.nodes = new Rows(`Nodes of cluster ${name}`, [['Node'], ['Which'], ['State'], ['Version'], ...numbers('nodes', NODE_NUMBERS)]);
    this.queues = new Rows(`Queues of cluster ${name}`, [['Queue'], ...numbers('queues', QUEUE_NUMBERS), ['Caught up', 'number']]);
    head.append(this.badge.node);
    body.append(this.summary, this.nodes.node, this.queues.node, this.pairs.node);
    parent.append(node);
  }

  update(row, now) {
    this.badge.show(look(row.nodes_vanished ? 'vanished' : row.state));
    const gone = [[row.nodes_left, 'left'], [row.nodes_vanished, 'vanished'], [row.nodes_unheard, 'not heard']].filter(([number]) => number);
    const nodes = [`${plural(row.nodes_present, 'node')} present`, ...gone.map(([number, word]) => `${number} ${word}`)].join(', ');
    const { text: clear, detail } = row.headline;
    const said = `${nodes}; caught up: ${clear}${detail ? ` (${detail})` : ''}`;
    if (this.summary.textContent !== said) this.summary.textContent = said;
    this.nodes.show(Object.entries(row.nodes).sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, node]) => nodeTexts(name, node, now)));
    this.queues.show(Object.entries(row.queues).map(([name, queue]) => queueTexts(name, queue)));
    this.pairs.show([['Bus', row.backend], ['Topic', row.topic], ['Signed', row.signed ? 'yes' : 'no: whoever can publish can pose as a node'], ...facts('clusters', row)]);
  }
}

/** A table whose rows are replaced only if their texts have changed. */
class Rows {
  constructor(label, columns) {
    this.columns = columns;
    const { node, body } = table(label, columns);
    this.node = node;
    this.body = body;
    this.shown = '';
  }

  show(rows) {
    const key = JSON.stringify(rows);
    if (key === this.shown) return;
    this.shown = key;
    this.body.replaceChildren(...rows.map((cells) => line(this.columns, cells.map(shown))));
  }
}

function shown(cell) {
  if (typeof cell === 'string') return cell;
  const badge = new Badge();
  badge.show(cell);
  return badge.node;
}

function numbers(section, keys) {
  return keys.map((key) => [heading(section, key), 'number']);
}

function nodeTexts(name, row, now) {
  const cells = NODE_NUMBERS.map((key) => text(metricOf('nodes', key), row[key]));
  // In a column of its own: another hub may be called "alpha (this hub)".
  return [shownName(name), row.own ? 'this hub' : 'another', state(row, now), row.version ?? '', ...cells];
}

/** A name of another hub's choice, on one line and in bounded length, as hub/cluster/names.py has it. */
function shownName(name) {
  const characters = [...name.replace(/[\p{C}\p{Z}]+/gu, ' ').trim()];
  return characters.length <= LONGEST_SHOWN ? characters.join('') : `${characters.slice(0, LONGEST_SHOWN - 1).join('')}…`;
}

/** {level, word} of a node. */
function state(row, now) {
  if (row.state === 'unheard') return { level: look(row.state).level, word: `not heard for ${duration(Math.round(row.silent))}` };
  if (row.state !== 'present') return { level: look(row.state).level, word: `${row.state} ${duration(Math.max(0, Math.round(now - row.since)))} ago` };
  return row.ready ? look(row.hub_state) : { level: 'bad', word: `not ready: ${row.not_ready.join('; ')}` };
}

function queueTexts(name, row) {
  const cells = QUEUE_NUMBERS.map((key) => text(metricOf('queues', key), row[key]));
  return [shownName(name), ...cells, [row.caught_up, row.caught_up_detail].filter(Boolean).join(' ')];
}
