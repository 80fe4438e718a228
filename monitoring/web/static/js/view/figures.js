// Key figures of one consumer.

import { el, setAttribute, setText } from '../base/dom.js';
import { catchUp } from '../model/catchup.js';
import { heading, metricOf, text } from '../model/catalogue.js';
import { duration, percentiles } from '../model/duration.js';

const NUMBERS = ['rate_in', 'rate_out', 'oldest_age', 'in_flight', 'delayed', 'dead_letters', 'utilisation'];

export class KeyFigures {
  constructor() {
    this.node = el('dl', { class: 'figures' });
    this.figures = new Map();
  }

  update(row, now) {
    const clear = catchUp(row, now);
    const times = row.consume_time ?? {};
    this.put('backlog', text(metricOf('consumers', 'backlog'), row.backlog), '', 'large');
    this.put('catch_up_seconds', clear.main, clear.detail, 'large', clear.kind);
    if ((row.readers ?? null) !== null) this.put('readers', text(metricOf('consumers', 'readers'), row.readers));
    for (const key of NUMBERS) this.put(key, text(metricOf('consumers', key), row[key]));
    this.put('consume_time', duration(times.p50), percentiles(times), null, null, ' p50');
  }

  put(key, main, detail = '', size = null, kind = null, ending = '') {
    if (!this.figures.has(key)) {
      const parts = { main: el('span', { class: 'main' }), small: el('small') };
      const metric = metricOf('consumers', key);
      parts.node = el('div', { class: size, title: metric.help }, el('dt', {}, `${heading('consumers', key)}${ending}`), el('dd', {}, parts.main, parts.small));
      this.figures.set(key, parts);
      this.node.append(parts.node);
    }
    const found = this.figures.get(key);
    setText(found.main, main);
    setText(found.small, detail);
    setAttribute(found.node, 'data-kind', kind);
  }
}
