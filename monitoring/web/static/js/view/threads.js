// Worker threads of a consumer: the message of each, for how long, and on demand its stack.

import { action } from '../base/actions.js';
import { el, setAttribute, setText } from '../base/dom.js';
import { Badge } from '../base/badge.js';
import { open } from '../base/dialogs.js';
import { get, named, post } from '../link/api.js';
import { token } from '../link/token.js';
import { duration } from '../model/duration.js';
import { messagesWithheld } from '../model/withheld.js';
import { card } from './card.js';

const LEVELS = { busy: 'ok', idle: 'off', leaving: 'info', stuck: 'bad', dead: 'bad' };

export class Threads {
  constructor(name) {
    this.name = name;
    this.lines = new Map();
    const { node, head, body, heading } = card('Threads');
    this.node = node;
    this.heading = heading;
    this.list = el('ul', { class: 'threads' });
    this.none = el('p', { class: 'hint', hidden: true }, 'None.');
    this.seen = false;
    this.withheld = el('p', { class: 'hint', hidden: true }, 'The topics and ids of these messages are shown with the token.');
    body.append(this.list, this.none, this.withheld);
    this.fewer = action('−', () => this.change(-1), { kind: 'plain', label: 'One thread fewer' });
    this.more = action('+', () => this.change(1), { kind: 'plain', label: 'One thread more' });
    this.stacks = action('Stacks', () => this.showStacks(), { kind: 'plain', reads: true });
    head.append(this.stacks, this.fewer, this.more);
  }

  update(row) {
    this.count = row.threads;
    const workers = row.workers ?? [];
    const orphan = row.state === 'orphan';
    for (const button of [this.stacks, this.fewer, this.more]) button.hidden = orphan;
    setText(this.heading, orphan ? 'Threads' : `Threads: ${row.threads}`);
    this.none.hidden = workers.length > 0;
    this.seen ||= messagesWithheld(workers);
    this.withheld.hidden = !this.seen || Boolean(token());
    const seen = new Set(workers.map((worker) => worker.name));
    for (const worker of workers) this.show(worker);
    for (const [name, line] of this.lines) {
      if (seen.has(name)) continue;
      line.node.remove();
      this.lines.delete(name);
    }
  }

  show(worker) {
    if (!this.lines.has(worker.name)) this.lines.set(worker.name, this.line(worker.name));
    const { node, badge, seconds, topic, id } = this.lines.get(worker.name);
    badge.show({ level: LEVELS[worker.state] ?? 'warn', word: worker.state });
    setText(seconds, worker.seconds === null || worker.seconds === undefined ? '' : duration(worker.seconds));
    setText(topic, worker.topic ?? '');
    setText(id, worker.message_id ?? '');
    setAttribute(node, 'data-level', LEVELS[worker.state]);
  }

  line(name) {
    const badge = new Badge();
    const parts = { badge, seconds: el('span', { class: 'seconds' }), topic: el('span', { class: 'topic' }), id: el('code') };
    parts.node = el('li', {}, el('span', { class: 'thread-name' }, name), badge.node, parts.seconds, el('span', { class: 'what' }, parts.topic, parts.id));
    this.list.append(parts.node);
    return parts;
  }

  async change(by) {
    const count = Math.max(1, this.count + by);
    if (count === this.count) return 'A consumer has at least one thread.';
    await post('api/threads', { consumer: this.name, count });
    return `${this.name} has ${count === 1 ? 'one thread' : `${count} threads`} now.`;
  }

  async showStacks() {
    const { threads } = await get(named('api/threads', this.name));
    const parts = threads.map((worker) => {
      const what = worker.topic ? `${worker.state}, ${duration(worker.seconds)} at ${worker.topic}` : worker.state;
      const stack = Array.isArray(worker.stack) ? worker.stack.join('\n') : worker.stack;
      return el('section', {}, el('h3', {}, worker.name, el('small', {}, what)), el('pre', { tabindex: 0, 'aria-label': `Stack of ${worker.name}` }, stack || 'No stack now.'));
    });
    const close = el('button', { type: 'button', class: 'primary' }, 'Close');
    const dialog = open(`Stacks of ${this.name}`, parts, [close]);
    dialog.node.classList.add('broad');
    close.addEventListener('click', () => dialog.close(null));
  }
}
