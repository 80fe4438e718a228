// Series of one consumer's numbers over time, for the graphs. Pure; all in epoch seconds.

const GAP = 3;
/* Steps without a number that make a gap in the graph; fewer are late samples, and are drawn across. */

/** Columns of equal length; `times` ascend. `max` is the highest backlog within each step. */
export class Series {
  constructor(span) {
    this.span = span;
    this.step = 1;
    this.clear();
  }

  clear() {
    this.times = [];
    this.mean = [];
    this.max = [];
    this.into = [];
    this.out = [];
  }

  /** Load the answer of GET /history about one consumer. */
  load({ step, start }, columns) {
    this.clear();
    this.step = step;
    const { backlog = [], backlog_max: max = backlog, rate_in: into = [], rate_out: out = [] } = columns ?? {};
    let unknown = 0;
    for (let index = 0; index < backlog.length; index += 1) {
      const known = backlog[index] !== null;
      unknown = known ? 0 : unknown + 1;
      const gap = unknown === GAP && this.times.length > 0;
      if (known || gap) this.push(start + index * step, backlog[index], max[index], into[index], out[index]);
    }
  }

  /** Append a sample; one that is not later than the last is ignored. */
  append(time, row) {
    if (this.times.length && time <= this.times.at(-1)) return;
    this.push(time, row.backlog, row.backlog, row.rate_in, row.rate_out);
    const gone = this.times.findIndex((one) => one >= time - this.span);
    if (gone > 0) for (const column of this.columns()) column.splice(0, gone);
  }

  push(time, mean, max, into, out) {
    this.times.push(time);
    this.mean.push(mean ?? null);
    this.max.push(max ?? null);
    this.into.push(into ?? null);
    this.out.push(out ?? null);
  }

  columns() {
    return [this.times, this.mean, this.max, this.into, this.out];
  }

  /** {value, time} of the highest backlog; null if there is none. */
  peak() {
    let best = null;
    this.max.forEach((value, index) => {
      if (value !== null && (best === null || value > best.value)) best = { value, time: this.times[index] };
    });
    return best;
  }
}

/**
 * Projection of the backlog, at most `ahead` seconds of it: two points, or none.
 * @returns {{times: number[], values: number[]}}
 */
export function projection(row, now, ahead) {
  if (row.trend !== 'catching_up' || !row.catch_up_seconds || !row.backlog) return { times: [], values: [] };
  const length = Math.min(row.catch_up_seconds, ahead);
  const left = row.backlog * (1 - length / row.catch_up_seconds);
  return { times: [now, now + length], values: [row.backlog, left] };
}

/** Columns of the backlog's graph: times, mean, highest, projected. `fine`: without the highest, which is the mean. */
export function backlogColumns(series, row, now, ahead, fine) {
  const future = row ? projection(row, now, ahead) : { times: [], values: [] };
  const kept = series.times.findLastIndex((time) => time < now) + 1;
  const past = future.times.length ? kept : series.times.length;
  const none = future.times.map(() => null);
  const start = (column) => [...column.slice(0, past), ...none];
  if (future.times.length) none[0] = future.values[0];
  return [
    [...series.times.slice(0, past), ...future.times],
    start(series.mean),
    ...(fine ? [] : [start(series.max)]),
    [...new Array(past).fill(null), ...future.values],
  ];
}

/** List of `width` values, each the highest of its part of the last `span` seconds; null if unknown. */
export function buckets(times, values, now, span, width) {
  const found = new Array(width).fill(null);
  times.forEach((time, index) => {
    const at = Math.min(width - 1, Math.floor(((time - (now - span)) / span) * width));
    if (at >= 0 && values[index] !== null) found[at] = Math.max(found[at] ?? 0, values[index]);
  });
  return found;
}

/** Runs of known values, as lists of [index, value]: nothing is drawn for times when the hub was down. */
export function runs(values) {
  const found = [];
  values.forEach((value, index) => {
    if (value === null) return;
    if (index === 0 || values[index - 1] === null) found.push([]);
    found.at(-1).push([index, value]);
  });
  return found;
}
