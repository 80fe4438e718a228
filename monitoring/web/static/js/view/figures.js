// The numbers of one consumer that an operator asks for first.

import { el, setAttribute, setText } from '../base/dom.js';
import { catchUp } from '../model/catchup.js';
import { duration } from '../model/duration.js';
import { count, rate, share } from '../model/number.js';

export class KeyFigures {
  constructor() {
    this.node = el('dl', { class: 'figures' });
    this.figures = new Map();
  }

  update(row, now) {
    const clear = catchUp(row, now);
    const times = row.consume_time ?? {};
    this.put('Backlog', count(row.backlog), '', 'large');
    this.put('Time to catch up', clear.main, clear.detail, 'large', clear.kind);
    this.put('In/s', rate(row.rate_in));
    this.put('Out/s', rate(row.rate_out));
    this.put('Oldest', duration(row.oldest_age));
    this.put('In flight', count(row.in_flight));
    this.put('Delayed', count(row.delayed));
    this.put('Dead', count(row.dead_letters));
    this.put('Busy', share(row.utilisation));
    this.put('Consume time p50', duration(times.p50), times.p95 === null || times.p95 === undefined ? '' : `p95 ${duration(times.p95)} · p99 ${duration(times.p99)}`);
  }

  put(term, main, detail = '', size = null, kind = null) {
    if (!this.figures.has(term)) {
      const parts = { main: el('span', { class: 'main' }), small: el('small') };
      parts.node = el('div', { class: size }, el('dt', {}, term), el('dd', {}, parts.main, parts.small));
      this.figures.set(term, parts);
      this.node.append(parts.node);
    }
    const found = this.figures.get(term);
    setText(found.main, main);
    setText(found.small, detail);
    setAttribute(found.node, 'data-kind', kind);
  }
}
