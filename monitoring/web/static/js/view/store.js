// Where messages are kept.

import { Badge } from '../base/badge.js';
import { el } from '../base/dom.js';
import { consumerAddress } from '../base/routes.js';
import { look } from '../model/condition.js';
import { duration } from '../model/duration.js';
import { bytes, count } from '../model/number.js';
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
    const times = store.commit_seconds ?? {};
    this.pairs.show([
      ...(store.reason ? [['Reason', store.reason, 'bad']] : []),
      ['Used', bytes(store.used_bytes)],
      ['Messages stored', count(store.messages)],
      ['Commits', count(store.commits)],
      ['A commit takes', `p50 ${duration(times.p50)}, p95 ${duration(times.p95)}, p99 ${duration(times.p99)}`],
      ['Waiting for the disk', `${count(store.pending)}, ${bytes(store.pending_bytes)}`],
      ['Failed commits', count(store.failures), store.failures ? 'bad' : null],
      ['Expired', count(store.expired)],
    ]);
    this.showPins(store.pinned_by ?? []);
  }

  /** The queues whose oldest message keeps the store from letting go of what came after it. */
  showPins(pins) {
    const key = JSON.stringify(pins.map(({ queue, age }) => [queue, duration(age)]));
    if (key === this.shown || this.pins.contains(document.activeElement)) return;
    this.shown = key;
    const items = pins.map(({ queue, age }) => el('li', {}, el('a', { href: consumerAddress(queue) }, queue), ` for ${duration(age)}`));
    this.pins.replaceChildren(...(items.length ? [el('h3', {}, 'Held by the queues'), el('ul', { class: 'pins' }, ...items)] : []));
  }
}
