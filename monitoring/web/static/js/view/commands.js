// Actions on a consumer.

import { action } from '../base/actions.js';
import { ask } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { post } from '../link/api.js';
import { inputValue, moment } from '../model/moment.js';
import { plural } from '../model/number.js';
import { pauseOrder } from '../model/orders.js';
import { replay } from './replay.js';

const PAUSES = [
  ['resumed', 'Until it is resumed'],
  ['300', 'For 5 minutes'],
  ['900', 'For 15 minutes'],
  ['3600', 'For an hour'],
  ['time', 'Until'],
];

export class Commands {
  constructor(name) {
    this.name = name;
    this.pause = action('Pause', () => this.order('pause', {}, 'is paused'), { symbol: 'paused' });
    this.until = action('Pause until …', () => this.pauseUntil());
    this.resume = action('Resume', () => this.order('resume', {}, 'is resumed'), { kind: 'primary', symbol: 'play' });
    this.drain = action('Drain', () => this.askDrain());
    this.replay = action('Replay …', () => replay(name, this.row.topics));
    this.purge = action('Purge …', () => this.askPurge(), { kind: 'danger-text' });
    this.delete = action('Delete the queue …', () => this.askDelete(), { kind: 'danger-text' });
    this.node = el('div', { class: 'commands', role: 'group', 'aria-label': `Actions on ${name}` }, this.resume, this.pause, this.until, this.drain, this.replay, this.purge, this.delete);
  }

  update(row, now) {
    this.row = row;
    this.now = now;
    const orphan = row.state === 'orphan' || row.drained_by === 'several';
    // A paused consumer can't be drained, nor a drained one paused.
    this.resume.hidden = orphan || !row.held;
    this.pause.hidden = this.until.hidden = this.drain.hidden = orphan || row.held;
    this.replay.hidden = this.purge.hidden = orphan;
    this.delete.hidden = row.drained_by !== 'nobody';
  }

  async order(verb, more, outcome) {
    const focused = this.node.contains(document.activeElement);
    await post(`api/${verb}`, { consumer: this.name, ...more });
    if (focused) this.keepFocus();
    return `${this.name} ${outcome}.`;
  }

  /** Keep the focus in the group: the pressed button is about to be hidden. */
  keepFocus() {
    this.node.tabIndex = -1;
    this.node.focus();
  }

  async pauseUntil() {
    const time = el('input', { type: 'datetime-local', name: 'until', step: 1, value: inputValue(this.now + 1800), 'aria-label': 'End of the pause' });
    const choices = PAUSES.map(([value, text], index) => {
      const radio = el('input', { type: 'radio', name: 'choice', value });
      radio.checked = index === 2;
      return el('label', { class: 'choice' }, radio, text);
    });
    time.addEventListener('input', () => {
      choices.at(-1).firstElementChild.checked = true;
    });
    const order = await ask({
      title: `Pause ${this.name}`,
      content: [el('p', {}, 'Its queue continues to receive messages; its workers finish those in flight.'), el('fieldset', {}, el('legend', {}, 'Duration'), ...choices, time)],
      confirm: 'Pause',
      check: (form) => pauseOrder(this.name, form.get('choice'), form.get('until'), this.now),
    });
    if (!order) return '';
    return this.order('pause', order, order.until ? `is paused until ${moment(order.until, this.now)}` : 'is paused');
  }

  async askDrain() {
    const content = [el('p', {}, 'It works off its backlog. New messages for it are dropped and counted until it is resumed.')];
    if (!(await ask({ title: `Drain ${this.name}?`, content, confirm: 'Drain' }))) return '';
    return this.order('drain', {}, 'is draining');
  }

  async askPurge() {
    const { backlog, in_flight: handled, delayed } = this.row;
    const waiting = plural(Math.max(0, backlog - handled - delayed), 'message');
    const content = [el('p', {}, el('strong', {}, waiting), ` waiting for ${this.name} will be dropped. Messages in flight, or waiting for a retry, stay.`)];
    if (!(await ask({ title: `Purge ${this.name}?`, content, confirm: `Purge ${waiting}`, danger: true }))) return '';
    const { purged } = await post('api/purge-queue', { queue: this.name });
    return `${plural(purged, 'message')} of ${this.name} dropped.`;
  }

  async askDelete() {
    const content = [el('p', {}, `No consumer has this queue. Its ${plural(this.row.backlog, 'message')} and its dead letters will be deleted permanently.`)];
    if (!(await ask({ title: `Delete the queue ${this.name}?`, content, confirm: 'Delete', danger: true }))) return '';
    await post('api/delete-queue', { queue: this.name });
    location.hash = '#/';
    return `The queue ${this.name} is deleted.`;
  }
}
