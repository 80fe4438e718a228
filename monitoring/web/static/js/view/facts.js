// Facts of a consumer: its settings, and all its numbers.

import { facts } from '../model/catalogue.js';
import { card, Pairs } from './card.js';

export class Facts {
  constructor() {
    const { node, body } = card('All numbers');
    this.node = node;
    node.classList.add('facts');
    this.pairs = new Pairs();
    body.append(this.pairs.node);
  }

  update(row) {
    this.pairs.show([
      ['Type', row.type ?? 'none: no consumer has this queue'],
      ['Class', row.class ?? '–'],
      ['Topics', (row.topics ?? []).join('  ') || '–'],
      ['Durable', row.durable ? 'yes' : 'no: lost when the hub stops'],
      ...facts('consumers', row),
      ...(row.own === null || row.own === undefined ? [] : [['Own', JSON.stringify(row.own)]]),
    ]);
  }
}
