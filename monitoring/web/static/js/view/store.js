// Store: its state, size and commits.

import { Badge } from '../base/badge.js';
import { el } from '../base/dom.js';
import { consumerAddress } from '../base/routes.js';
import { facts } from '../model/catalogue.js';
import { look } from '../model/condition.js';
import { duration } from '../model/duration.js';
import { card, Pairs } from './card.js';

export class Store {
  constructor() {
    const { node, head, body } = card('Store');
    this.node = node;
    this.badge = new Badge();
    this.pairs = new Pairs();
    this.pins = el('div');
    this.shown = '';
    head.append(this.badge.node);
    body.append(this.pairs.node, this.pins);
  }

  update({ hub }) {
    const store = hub.store ?? {};
    this.badge.show(look(store.state ?? 'unknown'));
    this.pairs.show([...(store.reason ? [['Reason', store.reason, 'bad']] : []), ...facts('store', store)]);
    this.showPins(store.pinned_by ?? []);
  }

  /** Show the queues whose oldest message keeps the store from deleting newer ones. */
  showPins(pins) {
    const key = JSON.stringify(pins.map(({ queue, age }) => [queue, duration(age)]));
    if (key === this.shown || this.pins.contains(document.activeElement)) return;
    this.shown = key;
    const items = pins.map(({ queue, age }) => el('li', {}, el('a', { href: consumerAddress(queue) }, queue), ` for ${duration(age)}`));
    this.pins.replaceChildren(...(items.length ? [el('h3', {}, 'Space held by queues'), el('ul', { class: 'pins' }, ...items)] : []));
  }
}
