// Spikes of a backlog, past ones and a lasting one.

import { el } from '../base/dom.js';
import { get, named } from '../link/api.js';
import { duration } from '../model/duration.js';
import { moment } from '../model/moment.js';
import { count } from '../model/number.js';
import { card, line, table } from './card.js';

const EVERY_MS = 10000;
const COLUMNS = [['Began'], ['Peak', 'number'], ['Peak after', 'number'], ['Cleared after', 'number'], ['']];

export class Spikes {
  /** @param show called with the times, from and to, to show in the graph. */
  constructor(name, show) {
    this.name = name;
    this.show = show;
    this.asked = 0;
    this.shown = null;
    const { node, body } = card('Spikes');
    this.node = node;
    this.none = el('p', { class: 'hint' }, 'None.');
    this.table = table('Spikes of the backlog', COLUMNS);
    this.table.node.hidden = true;
    body.append(this.none, this.table.node);
  }

  update(row, now) {
    if (Date.now() - this.asked < EVERY_MS) return;
    this.asked = Date.now();
    get(named('spikes', this.name)).then(({ spikes }) => this.list(spikes, now), () => {});
  }

  list(spikes, now) {
    const key = JSON.stringify([spikes, spikes.some((spike) => spike.cleared_at === null) && now]);
    if (key === this.shown || this.node.contains(document.activeElement)) return;
    this.shown = key;
    this.none.hidden = spikes.length > 0;
    this.table.node.hidden = spikes.length === 0;
    this.table.body.replaceChildren(...spikes.map((spike) => this.line(spike, now)));
  }

  line(spike, now) {
    const end = spike.cleared_at ?? now;
    const took = duration(end - spike.started_at);
    const show = el('button', { type: 'button', class: 'plain', 'aria-label': `Show the spike of ${moment(spike.started_at, now)}`, onClick: () => this.show(spike.started_at, end) }, 'Show');
    const cleared = spike.cleared_at === null ? el('span', { class: 'going' }, `lasting, ${took}`) : took;
    return line(COLUMNS, [moment(spike.started_at, now), count(spike.peak), duration(spike.peak_at - spike.started_at), cleared, show]);
  }
}
