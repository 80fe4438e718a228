// Last error of a consumer.

import { action } from '../base/actions.js';
import { el } from '../base/dom.js';
import { askForToken } from '../link/token.js';
import { stamp } from '../model/moment.js';
import { errorWithheld } from '../model/withheld.js';
import { card } from './card.js';

export class LastError {
  constructor() {
    const { node, body } = card('Last error');
    this.node = node;
    this.body = body;
    this.shown = null;
  }

  update(row) {
    const last = row.last_error;
    const key = JSON.stringify([last, row.error, row.tick_error]);
    if (key === this.shown) return;
    this.shown = key;
    this.node.hidden = !last && !row.error && !row.tick_error;
    const parts = [];
    if (row.error) parts.push(el('p', { class: 'problem' }, `It can't start: ${row.error}`));
    if (row.tick_error) parts.push(el('p', { class: 'problem' }, `tick() fails: ${row.tick_error}`));
    if (last) {
      parts.push(el('p', { class: 'error-head' }, el('strong', {}, last.error), ` at ${stamp(last.time)}, attempt ${last.attempt}`));
    }
    if (last && last.text !== null) {
      parts.push(el('pre', { tabindex: 0, 'aria-label': 'Text of the error' }, last.text));
      parts.push(el('p', { class: 'hint' }, el('code', {}, last.topic ?? ''), ' ', el('code', {}, last.message_id ?? '')));
    }
    if (errorWithheld(row)) parts.push(this.needsToken());
    this.body.replaceChildren(...parts);
  }

  /** Offer to enter the token: an error's text may contain the message's content. */
  needsToken() {
    const button = action('Enter the token', () => askForToken(false), { kind: 'plain', symbol: 'lock', reads: true });
    return el('p', { class: 'hint' }, "The error's text, and its message, are shown with the token. ", button);
  }
}
