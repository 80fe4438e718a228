// Row of one consumer in the table. Its cells are made once; each status changes their texts.

import { action } from '../base/actions.js';
import { Badge } from '../base/badge.js';
import { el, setAttribute, setText } from '../base/dom.js';
import { consumerAddress } from '../base/routes.js';
import { post } from '../link/api.js';
import { metricOf, text } from '../model/catalogue.js';
import { catchUp } from '../model/catchup.js';
import { condition } from '../model/condition.js';
import { duration } from '../model/duration.js';
import { stamp } from '../model/moment.js';
import { COLUMNS, labelOf } from '../model/order.js';
import { errorWithheld } from '../model/withheld.js';
import { Sparkline } from './sparkline.js';

export class Row {
  constructor(name) {
    this.name = name;
    this.badge = new Badge();
    this.sparkline = new Sparkline();
    this.cells = Object.fromEntries(COLUMNS.map((column) => [column.key, cell(column)]));
    this.button = action('', () => this.toggle(), { kind: 'plain' });
    this.meter = el('span', { class: 'meter' });
    this.fill();
    const act = el('td', { role: 'cell', class: 'act' }, this.button);
    this.node = el('tr', { role: 'row', 'data-consumer': name }, ...Object.values(this.cells).map((one) => one.node), act);
  }

  fill() {
    const { name, state, trend, utilisation } = this.cells;
    name.node.replaceChildren(el('a', { href: consumerAddress(this.name), title: this.name }, this.name));
    state.node.replaceChildren(this.badge.node);
    trend.node.replaceChildren(this.sparkline.node);
    utilisation.node.append(el('span', { class: 'gauge', 'aria-hidden': 'true' }, this.meter));
  }

  update(row, now, series) {
    this.row = row;
    const look = condition(row);
    setAttribute(this.node, 'data-level', look.level);
    this.badge.show(look);
    setAttribute(this.cells.state.node, 'title', look.reasons.join('\n') || null);
    this.sparkline.update(series, now);
    this.number('backlog');
    const clear = catchUp(row, now);
    setAttribute(this.cells.catch_up.node, 'data-kind', clear.kind);
    this.put('catch_up', clear.main, clear.detail);
    for (const key of ['rate_in', 'rate_out', 'utilisation']) this.number(key);
    for (const key of ['in_flight', 'delayed', 'dead_letters', 'oldest_age']) this.number(key, !row[key]);
    this.number('readers', !row.readers);
    this.meter.style.inlineSize = `${Math.round((row.utilisation ?? 0) * 100)}%`;
    this.times(row.consume_time ?? {});
    this.error(row);
    this.offer(row);
  }

  number(key, faint = false) {
    this.put(key, text(metricOf('consumers', key), this.row[key]), '', faint);
  }

  put(key, main, detail = '', faint = false) {
    const found = this.cells[key];
    setText(found.main, main);
    setText(found.small, detail);
    setAttribute(found.node, 'data-faint', faint);
  }

  times(times) {
    const { p50, p95, p99 } = times;
    const known = p50 !== null && p50 !== undefined;
    this.put('consume_time', duration(p50), known ? `${duration(p95)} · ${duration(p99)}` : '');
    setAttribute(this.cells.consume_time.node, 'title', known ? text(metricOf('consumers', 'consume_time'), times) : null);
  }

  error(row) {
    const last = row.last_error;
    const found = row.error ?? last?.text ?? '';
    this.put('last_error', row.error ? 'cannot start' : last ? last.error : '', found.slice(0, 300));
    const title = last ? `${stamp(last.time)} ${last.error}${last.text ? `: ${last.text.slice(0, 2000)}` : ''}` : row.error;
    setAttribute(this.cells.last_error.node, 'title', title && errorWithheld(row) ? `${title} (the rest needs the token)` : title);
    setAttribute(this.cells.last_error.node, 'data-empty', !found && !last);
  }

  /** Pause the consumer, or resume it. */
  offer(row) {
    this.resumes = row.held;
    setText(this.button.querySelector('span'), this.resumes ? 'Resume' : 'Pause');
    setAttribute(this.button, 'aria-label', `${this.resumes ? 'Resume' : 'Pause'} ${this.name}`);
    this.button.hidden = ['orphan', 'stopped'].includes(row.state);
  }

  async toggle() {
    const resumes = this.resumes;
    await post(resumes ? 'api/resume' : 'api/pause', { consumer: this.name });
    return `${this.name} is ${resumes ? 'resumed' : 'paused'}.`;
  }
}

function cell(column) {
  const main = el('span', { class: 'main' });
  const small = el('small');
  const tag = column.key === 'name' ? 'th' : 'td';
  const attributes = { role: tag === 'th' ? 'rowheader' : 'cell', scope: tag === 'th' ? 'row' : null };
  const node = el(tag, { ...attributes, 'data-key': column.key, 'data-label': labelOf(column), class: column.numeric ? 'number' : null }, main, small);
  return { node, main, small };
}
