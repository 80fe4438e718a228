// Plots of the backlog and the rates. uPlot draws them on a canvas, in the colours of the theme.

import { colour } from '../base/theme.js';
import { stamp, tick } from '../model/moment.js';
import { compact, count, rate } from '../model/number.js';

const FONT = '12px system-ui, sans-serif';
const LETTER = 7.5;
/* Pixels of a wide digit in that font. */
const HALF_A_TIME = 32;
/* Pixels of "14:30:00" to the right of a mark at the edge. */
const LEAST_ROOM = 52;

/** Plot of the backlog: mean, highest, and projection. If each step is one sample (`fine`), mean and highest are equal. */
export function backlogPlot(uPlot, place, { fine, onZoom }) {
  const line = colour('--graph');
  const value = (_, found) => (found === null || found === undefined ? '–' : count(Math.round(found)));
  const series = [
    time(),
    { label: fine ? 'Backlog' : 'Mean', stroke: line, width: 2, fill: colour('--graph-fill'), points: { show: false }, value },
    ...(fine ? [] : [{ label: 'Highest', stroke: colour('--graph-high'), width: 1.25, points: { show: false }, value }]),
    { label: 'Projected', stroke: line, width: 1.5, dash: [5, 5], points: { show: false }, value },
  ];
  return plot(uPlot, place, series, { height: 260, floor: 10, onZoom, values: (_, marks) => marks.map(compact) });
}

/** Plot of the rates: received and settled per second. */
export function ratesPlot(uPlot, place, { onZoom }) {
  const value = (_, found) => (found === null || found === undefined ? '–' : `${rate(found)}/s`);
  const series = [
    time(),
    { label: 'In', stroke: colour('--graph-in'), width: 1.5, points: { show: false }, value },
    { label: 'Out', stroke: colour('--graph'), width: 1.5, points: { show: false }, value },
  ];
  return plot(uPlot, place, series, { height: 150, floor: 1, onZoom, values: (_, marks) => marks.map(compact) });
}

function time() {
  return { label: 'Time', value: (_, found) => (found === null || found === undefined ? '–' : stamp(found)) };
}

function plot(uPlot, place, series, { height, floor, onZoom, values }) {
  const axis = { stroke: colour('--muted'), font: FONT, grid: { stroke: colour('--graph-grid'), width: 1 }, ticks: { show: false } };
  const options = {
    width: place.clientWidth || 600,
    height,
    series,
    padding: [10, HALF_A_TIME, 0, 0],
    legend: { live: true },
    cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: 'consumer' }, points: { size: 7 } },
    scales: { x: { time: true, auto: false }, y: { auto: false } },
    axes: [
      { ...axis, values: (_, marks, index, space, step) => marks.map((mark) => tick(mark, step)), space: 70, size: 30 },
      { ...axis, values, size: (_, labels) => room(labels) },
    ],
    hooks: { setSelect: [(made) => selected(made, onZoom)] },
  };
  place.replaceChildren();
  const made = new uPlot(options, series.map(() => []), place);
  made.floor = floor;
  return made;
}

/** Pixels for the widest label of the axis at the left. */
function room(labels) {
  return Math.max(LEAST_ROOM, 16 + LETTER * Math.max(...(labels ?? []).map((label) => label.length), 0));
}

/** Handle a span that was selected with the mouse. */
function selected(made, onZoom) {
  if (made.select.width < 8) return;
  const from = made.posToVal(made.select.left, 'x');
  const to = made.posToVal(made.select.left + made.select.width, 'x');
  made.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  onZoom(from, to);
}
