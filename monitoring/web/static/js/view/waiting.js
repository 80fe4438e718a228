// Peek into a queue: its oldest messages, which stay in it.

import { action } from '../base/actions.js';
import { el } from '../base/dom.js';
import { get, named } from '../link/api.js';
import { duration } from '../model/duration.js';
import { plural } from '../model/number.js';
import { card, line, table } from './card.js';
import { showMessage } from './message.js';

const COUNT = 20;
const COLUMNS = [['Position', 'number'], ['State'], ['Topic', 'clip'], ['Id', 'clip'], ['Age', 'number'], ['Attempts', 'number'], ['']];

export class Waiting {
  constructor(name) {
    this.name = name;
    const { node, head, body } = card('Waiting messages');
    this.node = node;
    this.hint = el('p', { class: 'hint' }, 'Peek at the oldest messages; they stay in the queue.');
    this.table = table('Waiting messages', COLUMNS);
    this.table.node.hidden = true;
    this.button = action('Look', () => this.look(), { kind: 'plain', reads: true });
    head.append(this.button);
    body.append(this.hint, this.table.node);
  }

  update(row, now) {
    this.now = now;
  }

  async look() {
    const { messages } = await get(`${named('api/peek', this.name)}?count=${COUNT}`);
    this.table.node.hidden = messages.length === 0;
    this.hint.textContent = messages.length ? `The oldest ${plural(messages.length, 'message')}, as of now.` : 'No messages wait.';
    this.button.querySelector('span').textContent = 'Look again';
    this.table.body.replaceChildren(...messages.map((message) => this.line(message)));
  }

  line(message) {
    const show = el('button', { type: 'button', class: 'plain', 'aria-label': `Show message ${message.id}`, onClick: () => showMessage('Waiting message', message) }, 'Show');
    const age = duration(Math.max(0, this.now - message.received_at));
    return line(COLUMNS, [String(message.position), message.state, message.topic, el('code', {}, message.id), age, String(message.attempts), show]);
  }
}
