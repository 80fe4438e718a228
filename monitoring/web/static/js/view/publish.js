// Form that publishes a message, to test a backend.

import { action } from '../base/actions.js';
import { field } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { post } from '../link/api.js';
import { publishOrder } from '../model/orders.js';
import { card } from './card.js';

export class PublishForm {
  constructor() {
    const { node, body } = card('Test publish');
    this.node = node;
    this.topic = el('input', { type: 'text', name: 'topic', placeholder: 'org.example.test', spellcheck: 'false', autocomplete: 'off' });
    this.body = el('textarea', { name: 'body', rows: 5, spellcheck: 'false' });
    this.body.value = '{"hello": "hub"}';
    this.backend = el('select', { name: 'backend' });
    this.known = '';
    const button = action('Publish', () => this.send(), { kind: 'primary', type: 'submit' });
    const form = el('form', { class: 'stacked' }, field('Topic', this.topic), field('Body', this.body, 'JSON'), field('Backend', this.backend), el('div', { class: 'buttons' }, button));
    form.addEventListener('submit', (event) => event.preventDefault());
    body.append(form);
  }

  update({ backends }) {
    const names = Object.keys(backends);
    if (names.join('\n') === this.known) return;
    this.known = names.join('\n');
    this.backend.replaceChildren(...names.map((name) => el('option', { value: name }, name)));
  }

  async send() {
    const { id } = await post('api/publish', publishOrder(this.topic.value, this.body.value, this.backend.value));
    return `Published as ${id}.`;
  }
}
