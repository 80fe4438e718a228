// Graph of one consumer's backlog over time, with its projection, and of its rates.

import { tell } from '../base/actions.js';
import { el, setText } from '../base/dom.js';
import { onColours } from '../base/theme.js';
import { charts } from '../link/charts.js';
import { get, named } from '../link/api.js';
import { duration } from '../model/duration.js';
import { moment } from '../model/moment.js';
import { count } from '../model/number.js';
import { backlogColumns, Series } from '../model/series.js';
import { card } from './card.js';
import { backlogPlot, ratesPlot } from './plots.js';

const SPANS = [
  { seconds: 600, label: '10 min', every: 0 },
  { seconds: 21600, label: '6 h', every: 10 },
  { seconds: 172800, label: '2 days', every: 60 },
  { seconds: 2592000, label: '30 days', every: 300 },
];
const SHORTEST = 120;
/* Seconds that are shown at least; times before the start of the history are not. */
const AHEAD = 0.5;
/* Share of the span for the projection at most: more would squeeze the past. */

export class Graph {
  constructor(name, past) {
    this.name = name;
    this.past = past;
    this.span = SPANS[0];
    this.series = past.of(name);
    this.plots = [];
    this.zoom = null;
    this.loaded = 0;
    const { node, head, body } = card('Backlog', { wide: true });
    this.node = node;
    this.whole = el('button', { type: 'button', class: 'plain', hidden: true, onClick: () => this.setZoom(null) }, 'Show all');
    this.summary = el('p', { class: 'hint', 'aria-live': 'off' });
    this.places = [el('div', { class: 'plot' }), el('div', { class: 'plot rates' })];
    head.append(this.whole, this.selector());
    body.append(this.places[0], this.summary, el('h3', {}, 'Received and settled, per second'), this.places[1]);
    this.forget = onColours(() => this.draw());
    this.resizes = new ResizeObserver(() => this.resize());
    this.resizes.observe(this.places[0]);
    this.draw();
  }

  selector() {
    const inputs = SPANS.map((span) => {
      const input = el('input', { type: 'radio', name: 'span', value: span.seconds, onChange: () => this.choose(span).catch(tell) });
      input.checked = span === this.span;
      return el('label', {}, input, el('span', {}, span.label));
    });
    return el('fieldset', { class: 'segments' }, el('legend', { class: 'unseen' }, 'Span of the graph'), ...inputs);
  }

  async choose(span) {
    this.span = span;
    this.zoom = null;
    this.node.querySelector(`input[value="${span.seconds}"]`).checked = true;
    if (span.every) await this.load();
    else this.series = this.past.of(this.name);
    await this.draw();
  }

  async load() {
    const span = this.span;
    this.loaded = Date.now();
    const series = new Series(span.seconds);
    try {
      const answer = await get(`${named('history', this.name)}?span=${span.seconds}`);
      series.load(answer, answer.consumers[this.name]);
    } catch (error) {
      if (error.code !== 404) throw error; // That of a queue without history.
    }
    if (span === this.span) this.series = series;
  }

  update(row, now) {
    this.row = row;
    this.now = now;
    const due = this.span.every && Date.now() - this.loaded > this.span.every * 1000;
    if (due) this.load().then(() => this.feed(), () => {});
    this.feed();
  }

  reconnected() {
    this.choose(this.span).catch(tell);
  }

  /** Create the plots: at the start, and when the colours or the span have changed. */
  async draw() {
    const uPlot = await charts();
    this.plots.forEach((plot) => plot.destroy());
    this.plots = [];
    if (this.closed) return;
    if (uPlot === null) {
      const how = el('p', { class: 'waiting' }, 'The graphs need uPlot, which is not installed: run ', el('code', {}, 'make charts'), ' and reload this page.');
      this.places[0].replaceChildren(how);
      this.places[1].hidden = true;
      return;
    }
    const options = { fine: !this.span.every, onZoom: (from, to) => this.setZoom([from, to]) };
    this.plots = [backlogPlot(uPlot, this.places[0], options), ratesPlot(uPlot, this.places[1], options)];
    this.feed();
  }

  /** Update the data of the plots. */
  feed() {
    if (this.row) this.summarise();
    if (!this.plots.length || !this.row) return;
    if (!this.span.every) this.series = this.past.of(this.name);
    const { series, row, now, span } = this;
    const columns = backlogColumns(series, row, now, span.seconds * AHEAD, !span.every);
    const last = Math.max(columns[0].at(-1) ?? now, now);
    const first = Math.max(now - span.seconds, Math.min(columns[0][0] ?? now, now - SHORTEST));
    const [from, to] = this.zoom ?? [first, last];
    this.plots[0].setData(columns, false);
    this.plots[1].setData([series.times, series.into, series.out], false);
    for (const plot of this.plots) plot.batch(() => scale(plot, from, to));
  }

  /** Describe the graph in words. */
  summarise() {
    const peak = this.series.peak();
    const text = [`Now ${count(this.row.backlog)}.`];
    if (peak) text.push(`Highest in ${this.span.label}: ${count(Math.round(peak.value))}, at ${moment(peak.time, this.now)}.`);
    if (this.row.trend === 'catching_up' && this.row.catch_up_seconds > 0 && this.row.state !== 'paused') {
      const about = this.row.catch_up_estimated ? 'about ' : '';
      text.push(`At this rate caught up in ${about}${duration(this.row.catch_up_seconds)}, at ${moment(this.row.catch_up_at, this.now)} (dashed).`);
    }
    setText(this.summary, text.join(' '));
  }

  setZoom(zoom) {
    this.zoom = zoom;
    this.whole.hidden = zoom === null;
    this.feed();
  }

  /** Show a period, in the finest history that reaches so far back. */
  async showTime(from, to) {
    const margin = Math.max(30, (to - from) * 0.25);
    await this.choose(SPANS.find((span) => this.now - span.seconds < from - margin) ?? SPANS.at(-1));
    this.setZoom([from - margin, Math.min(to + margin, this.now)]);
    this.node.scrollIntoView({ block: 'nearest' });
  }

  resize() {
    for (const plot of this.plots) plot.setSize({ width: this.places[0].clientWidth, height: plot.height });
  }

  close() {
    this.closed = true;
    this.forget();
    this.resizes.disconnect();
    for (const plot of this.plots) plot.destroy();
  }
}

function scale(plot, from, to) {
  plot.setScale('x', { min: from, max: to });
  let top = 0;
  const [times, ...columns] = plot.data;
  times.forEach((time, index) => {
    if (time >= from && time <= to) for (const column of columns) top = Math.max(top, column[index] ?? 0);
  });
  plot.setScale('y', { min: 0, max: Math.max(top * 1.08, plot.floor) });
}
