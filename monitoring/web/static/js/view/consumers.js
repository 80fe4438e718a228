// View of all consumers, a row each. The order is fixed while the pointer or the focus is in a row.

import { el, arrange, setAttribute, unseen } from '../base/dom.js';
import { icon } from '../base/icons.js';
import { COLUMNS, helpOf, labelOf, sorted } from '../model/order.js';
import { Row } from './row.js';

const KEY = 'hubbub.order';
const SORTABLE = COLUMNS.filter((column) => column.value);

export class ConsumersView {
  constructor(past) {
    this.title = '';
    this.past = past;
    this.rows = new Map();
    this.order = remembered();
    this.heads = new Map(COLUMNS.map((column) => [column.key, this.head(column)]));
    this.body = el('tbody', { role: 'rowgroup' });
    this.held = false;
    this.body.addEventListener('pointerenter', (event) => this.hold(event.pointerType === 'mouse'));
    this.body.addEventListener('pointerleave', () => this.hold(false));
    this.choice = this.chooser();
    const heads = el('tr', { role: 'row' }, ...this.heads.values(), el('td', { role: 'cell' }, unseen('Actions')));
    this.table = el('table', { role: 'table', class: 'consumers', 'aria-labelledby': 'consumers-title' }, el('thead', { role: 'rowgroup' }, heads), this.body);
    this.none = el('p', { class: 'waiting', hidden: true }, 'No consumer is configured.');
    const title = el('h1', { id: 'consumers-title' }, 'Consumers');
    this.node = el('section', {}, el('div', { class: 'headline' }, title, this.choice), el('div', { class: 'scroll' }, this.table), this.none);
    this.showOrder();
  }

  head(column) {
    const attributes = { role: 'columnheader', scope: 'col', 'data-key': column.key, class: column.numeric ? 'number' : null };
    if (!column.value) return el('th', attributes, labelOf(column));
    const under = column.under && el('small', {}, column.under);
    const button = el('button', { type: 'button', title: helpOf(column), onClick: () => this.sortBy(column) }, el('span', {}, labelOf(column), under));
    return el('th', attributes, button);
  }

  /** Selection of the order for narrow screens, where rows are cards without column heads. */
  chooser() {
    const select = el('select', {}, ...SORTABLE.map((column) => el('option', { value: column.key }, labelOf(column))));
    select.addEventListener('change', () => {
      const column = SORTABLE.find((one) => one.key === select.value);
      this.setOrder({ key: column.key, down: Boolean(column.down) });
    });
    return el('label', { class: 'narrow-only' }, 'Sort by ', select);
  }

  sortBy(column) {
    const again = this.order.key === column.key;
    this.setOrder({ key: column.key, down: again ? !this.order.down : Boolean(column.down) });
  }

  setOrder(order) {
    this.order = order;
    sessionStorage.setItem(KEY, JSON.stringify(order));
    this.showOrder();
    this.reorder(true);
  }

  showOrder() {
    const { key, down } = this.order;
    this.choice.querySelector('select').value = key;
    for (const column of SORTABLE) {
      const node = this.heads.get(column.key);
      const chosen = column.key === key;
      setAttribute(node, 'aria-sort', chosen ? (down ? 'descending' : 'ascending') : null);
      node.querySelector('.icon')?.remove();
      if (chosen) node.firstElementChild.append(icon(down ? 'descending' : 'ascending'));
    }
  }

  hold(held) {
    this.held = held;
    if (!held) this.reorder(false);
  }

  update(snapshot) {
    this.snapshot = snapshot;
    const { consumers, hub } = snapshot;
    for (const [name, row] of Object.entries(consumers)) {
      if (!this.rows.has(name)) this.rows.set(name, new Row(name));
      this.rows.get(name).update(row, hub.time, this.past.of(name));
    }
    for (const [name, row] of this.rows) {
      if (name in consumers) continue;
      row.node.remove();
      this.rows.delete(name);
    }
    this.none.hidden = this.rows.size > 0;
    // Only queues that clients read have readers: a hub without any spares the column.
    setAttribute(this.table, 'data-readers', Object.values(consumers).some((row) => (row.readers ?? null) !== null));
    this.reorder(false);
  }

  reorder(now) {
    if (!this.snapshot) return;
    const complete = this.body.children.length === this.rows.size;
    if (!now && complete && (this.held || this.body.contains(document.activeElement))) return;
    const names = sorted(this.snapshot.consumers, this.snapshot.hub.time, this.order);
    arrange(this.body, names.map((name) => this.rows.get(name).node));
  }
}

function remembered() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY));
    if (SORTABLE.some((column) => column.key === found.key)) return { key: found.key, down: Boolean(found.down) };
  } catch {
    // Nothing is stored: the default order.
  }
  return { key: 'state', down: false };
}
