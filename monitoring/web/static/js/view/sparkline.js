// Sparkline of the last ten minutes of a backlog.

import { setAttribute, svg } from '../base/dom.js';
import { SPAN } from '../link/past.js';
import { buckets, runs } from '../model/series.js';

const WIDTH = 120;
const HEIGHT = 28;
const POINTS = 120;
const FLOOR = 10;
/* Messages of the full height at least, so that a backlog of one or two looks small. */

export class Sparkline {
  constructor() {
    const base = svg('path', { class: 'base', d: `M0 ${HEIGHT - 1.5}L${WIDTH} ${HEIGHT - 1.5}` });
    this.area = svg('path', { class: 'area' });
    this.line = svg('path', { class: 'line' });
    this.node = svg('svg', { class: 'sparkline', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, base, this.area, this.line);
  }

  update(series, now) {
    const values = buckets(series.times, series.max, now, SPAN, POINTS);
    const top = Math.max(FLOOR, ...values.map((value) => value ?? 0));
    const lines = runs(values).map((run) => run.map(([index, value]) => [x(index), y(value, top)]));
    setAttribute(this.line, 'd', lines.map(path).join(''));
    setAttribute(this.area, 'd', lines.map(area).join(''));
  }
}

function path(points) {
  const drawn = points.length > 1 ? points : [points[0], points[0]]; // A dot: of a line of no length the round ends are drawn.
  return drawn.map(([across, down], index) => `${index ? 'L' : 'M'}${across} ${down}`).join('');
}

function area(points) {
  return `${path(points)}L${points.at(-1)[0]} ${HEIGHT}L${points[0][0]} ${HEIGHT}Z`;
}

function x(index) {
  return ((index / (POINTS - 1)) * WIDTH).toFixed(1);
}

function y(value, top) {
  return (HEIGHT - 1.5 - (value / top) * (HEIGHT - 4)).toFixed(1);
}
