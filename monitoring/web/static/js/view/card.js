// Cards: parts of a view, with a heading.

import { el, unseen } from '../base/dom.js';

let cards = 0;

/** {node, head, body}: `head` has room for buttons beside the heading. */
export function card(title, { wide = false } = {}) {
  cards += 1;
  const heading = el('h2', { id: `card-${cards}` }, title);
  const head = el('div', { class: 'card-head' }, heading);
  const body = el('div', { class: 'card-body' });
  const node = el('section', { class: wide ? 'card wide' : 'card', 'aria-labelledby': heading.id }, head, body);
  return { node, head, body, heading };
}

/** A table: `columns` are [label, class] pairs; fill `body` with rows of `line`. */
export function table(label, columns) {
  const heads = columns.map(([text, kind]) => el('th', { scope: 'col', class: kind ?? null }, text || unseen('Actions')));
  const body = el('tbody');
  const node = el('div', { class: 'scroll' }, el('table', { class: 'plain-table', 'aria-label': label }, el('thead', {}, el('tr', {}, ...heads)), body));
  return { node, body };
}

/** A row of texts or nodes, classes as in `columns`. */
export function line(columns, contents) {
  return el('tr', {}, ...contents.map((content, index) => el('td', { class: columns[index][1] ?? null, 'data-label': columns[index][0] }, content)));
}

/** List of pairs of a term and a text, with a level and a help or null; `show` replaces those that are shown. */
export class Pairs {
  constructor() {
    this.node = el('dl', { class: 'pairs' });
    this.shown = '';
  }

  show(pairs) {
    const key = JSON.stringify(pairs);
    if (key === this.shown) return;
    this.shown = key;
    this.node.replaceChildren(...pairs.map(([term, text, level, help]) => el('div', { 'data-level': level ?? null, title: help ?? null }, el('dt', {}, term), el('dd', {}, text))));
  }
}
