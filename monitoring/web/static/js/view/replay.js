// Replay of stored messages to a consumer: they are counted first, then replayed with a progress bar.

import { tell } from '../base/actions.js';
import { field, open } from '../base/dialogs.js';
import { el, setText } from '../base/dom.js';
import { postLines } from '../link/api.js';
import { inputValue, stamp } from '../model/moment.js';
import { plural } from '../model/number.js';
import { replayOrder } from '../model/orders.js';

/** Open the dialog. Resolves with the text of a notice, when the dialog is closed. */
export async function replay(name, patterns) {
  const dialog = new ReplayDialog(name, patterns);
  return dialog.closed;
}

class ReplayDialog {
  constructor(name, patterns) {
    this.name = name;
    const now = Date.now() / 1000;
    const input = (key, value) => el('input', { type: 'datetime-local', name: key, step: 1, required: true, value: inputValue(value) });
    this.topics = el('input', { type: 'text', name: 'topics', placeholder: (patterns ?? []).join(' '), spellcheck: 'false' });
    this.progress = el('progress', { max: 1, value: 0, hidden: true, 'aria-label': 'Progress of the replay' });
    this.told = el('p', { role: 'status' });
    this.problem = el('p', { class: 'problem', role: 'alert' });
    this.count = el('button', { type: 'submit', class: 'primary' }, 'Count');
    this.start = el('button', { type: 'button', class: 'primary', hidden: true });
    this.cancel = el('button', { type: 'button' }, 'Cancel');
    const content = [
      el('p', {}, 'Stored messages are put into its queue again, as new ones. The store keeps settled messages for as long as ', el('code', {}, 'keep'), ' in the configuration says. Messages that the consumer has not settled are left out, unless its queue is in memory; those of an earlier replay, or of a retry of dead letters, are not recognised.'),
      el('div', { class: 'side-by-side' }, field('Received from', input('since', now - 3600)), field('until', input('until', now))),
      field('Topics', this.topics, 'Patterns, separated by spaces. Empty: all topics of the consumer.'),
      this.progress, this.told, this.problem,
    ];
    this.dialog = open(`Replay to ${name}`, content, [this.cancel, this.count, this.start]);
    this.dialog.node.classList.add('roomy');
    this.stopper = new AbortController();
    this.closed = this.dialog.closed.finally(() => this.stopper.abort());
    this.listen();
  }

  listen() {
    const { form } = this.dialog;
    form.addEventListener('submit', () => this.run(true));
    form.addEventListener('input', () => this.offer(null));
    this.start.addEventListener('click', () => this.run(false));
    this.cancel.addEventListener('click', () => this.dialog.close(this.done ?? ''));
  }

  /** Offer the replay of messages that were counted with the same form. */
  offer(count, leftOut = 0) {
    this.start.hidden = !count;
    this.count.hidden = Boolean(count);
    this.start.textContent = `Replay ${plural(count ?? 0, 'message')}`;
    const rest = leftOut ? ` ${plural(leftOut, 'message')} not settled yet: left out.` : '';
    setText(this.told, count === null ? '' : (count ? `${plural(count, 'message')} would be replayed to ${this.name}.` : leftOut ? '' : 'The store has no such message.') + rest);
  }

  async run(dryRun) {
    this.problem.textContent = '';
    this.count.disabled = this.start.disabled = true;
    try {
      const order = replayOrder(this.name, new FormData(this.dialog.form), dryRun);
      const { replayed, left_out: leftOut, not_taken: notTaken } = await this.follow(order);
      if (dryRun) this.offer(replayed, leftOut);
      else this.finish(replayed, notTaken);
    } catch (error) {
      if (this.dialog.node.open) setText(this.problem, error.message);
      else tell(error);
    } finally {
      this.count.disabled = this.start.disabled = false;
    }
  }

  async follow(order) {
    let line = { replayed: 0 };
    this.progress.hidden = false;
    for await (line of postLines('api/replay', order, this.stopper.signal)) {
      if (line.at) this.progress.value = line.done ? 1 : (line.at - order.since) / (order.until - order.since);
      this.told.textContent = `${plural(line.replayed, 'message')} ${order.dry_run ? 'found' : 'replayed'}${line.at && !line.done ? `, up to ${stamp(line.at)}` : ''}`;
    }
    this.progress.hidden = true;
    if (line.problems) throw new Error(`After ${plural(line.replayed, 'message')}: ${line.problems.join('\n')}`);
    if (!line.done) throw new Error(`The hub closed the connection after ${plural(line.replayed, 'message')}.`);
    return line;
  }

  finish(count, notTaken = 0) {
    const rest = notTaken ? ` Its queue is full: ${plural(notTaken, 'message')} not replayed.` : '';
    this.done = `${plural(count, 'message')} replayed to ${this.name}.${rest}`;
    this.told.textContent = this.done;
    this.start.hidden = true;
    this.cancel.textContent = 'Close';
    this.cancel.focus();
  }
}
