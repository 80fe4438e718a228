// Dead letters of a consumer, grouped by error.

import { action } from '../base/actions.js';
import { ask } from '../base/dialogs.js';
import { el, setText } from '../base/dom.js';
import { get, named, post } from '../link/api.js';
import { grouped, numbers } from '../model/letters.js';
import { moment } from '../model/moment.js';
import { plural } from '../model/number.js';
import { card, line, table } from './card.js';
import { canary, retry } from './canary.js';
import { showMessage } from './message.js';

const FIRST = 50;
/* Rows of a group that are listed at first: a table of ten thousand rows is slow. */
const COLUMNS = [['No.', 'number'], ['Topic', 'clip'], ['Id', 'clip'], ['Buried'], ['Attempts', 'number'], ['']];

export class Letters {
  constructor(name) {
    this.name = name;
    this.letters = null;
    this.gone = new Set();
    const { node, head, body, heading } = card('Dead letters');
    this.node = node;
    this.heading = heading;
    this.hint = el('p', { class: 'hint' });
    this.groups = el('div', { class: 'groups' });
    this.list = action('List', () => this.load(), { kind: 'plain', reads: true });
    this.all = [
      action('Retry all', () => this.retryMany(this.letters), { kind: 'plain' }),
      action('Delete all', () => this.remove(this.letters), { kind: 'plain danger-text' }),
    ];
    head.append(this.list, ...this.all);
    body.append(this.hint, this.groups);
  }

  update(row, now) {
    this.now = now;
    if (this.letters === null) setText(this.hint, row.dead_letters ? `${plural(row.dead_letters, 'dead letter')}, grouped by error.` : 'There are none.');
    else if (row.dead !== this.deadThen) setText(this.hint, 'There are new ones: refresh the list.');
    this.dead = row.dead;
    for (const button of this.all) button.hidden = !this.letters?.length;
  }

  async load() {
    const dead = this.dead;
    this.letters = (await get(named('api/dead', this.name))).dead_letters;
    this.deadThen = dead;
    this.show();
  }

  /** Leave out retried or deleted dead letters, which the hub lists until its next commit. */
  forget(letters) {
    for (const { number } of letters) this.gone.add(number);
    this.show();
  }

  show() {
    this.letters = this.letters.filter(({ number }) => !this.gone.has(number));
    setText(this.list.querySelector('span'), 'List again');
    setText(this.heading, `Dead letters: ${this.letters.length}`);
    setText(this.hint, this.letters.length ? 'Grouped by error, the most frequent first.' : 'There are none.');
    for (const button of this.all) button.hidden = !this.letters.length;
    const focused = this.groups.contains(document.activeElement);
    this.groups.replaceChildren(...grouped(this.letters).map((group, index) => this.group(group, index === 0)));
    if (focused) this.list.focus();
  }

  group(group, opened) {
    const lines = table(`Dead letters of ${group.error || group.reason}`, COLUMNS);
    const more = el('button', { type: 'button', class: 'plain' });
    const fill = (count) => {
      lines.body.replaceChildren(...group.letters.slice(-count).reverse().map((letter) => this.line(letter)));
      more.hidden = count >= group.letters.length;
      more.textContent = `Show all ${group.letters.length}`;
    };
    more.addEventListener('click', () => fill(group.letters.length));
    fill(FIRST);
    const buttons = el('div', { class: 'buttons' }, ...this.groupButtons(group));
    const summary = el('summary', {}, el('strong', {}, plural(group.letters.length, 'message')), el('code', {}, group.error || 'Reject'), el('span', { class: 'reason' }, group.reason), el('small', {}, this.times(group)));
    return el('details', { open: opened }, summary, buttons, lines.node, more);
  }

  groupButtons(group) {
    return [
      action('Canary', () => canary(this.name, group.letters, (letters) => this.forget(letters)), { label: 'Canary: retry one first, then the rest' }),
      action(`Retry ${group.letters.length}`, () => this.retryMany(group.letters)),
      action('Delete', () => this.remove(group.letters), { kind: 'danger-text' }),
    ];
  }

  times({ first, last }) {
    const from = moment(first, this.now);
    const to = moment(last, this.now);
    return from === to ? from : `${from} to ${to}`;
  }

  line(letter) {
    const show = el('button', { type: 'button', class: 'plain', 'aria-label': `Show dead letter ${letter.number}`, onClick: () => this.showWhole(letter) }, 'Show');
    const retry = action('Retry', () => this.retry([letter]), { kind: 'plain', label: `Retry dead letter ${letter.number}` });
    const buried = moment(letter.buried_at, this.now);
    return line(COLUMNS, [String(letter.number), letter.topic, el('code', {}, letter.id), buried, String(letter.attempts), el('span', { class: 'pair' }, show, retry)]);
  }

  showWhole(letter) {
    const closing = (work) => async () => {
      dialog.close(null);
      return work();
    };
    const buttons = [
      action('Delete', closing(() => this.remove([letter])), { kind: 'danger-text' }),
      action('Retry', closing(() => this.retry([letter]))),
    ];
    const dialog = showMessage(`Dead letter ${letter.number} of ${this.name}`, letter, buttons);
  }

  /** Retry after a confirmation, for each retry may have effects outside the hub. */
  async retryMany(letters) {
    if (letters.length > 1) {
      const content = [el('p', {}, `${plural(letters.length, 'dead letter')} will be delivered to ${this.name} again, all at once.`)];
      if (!(await ask({ title: 'Retry dead letters?', content, confirm: `Retry ${letters.length}` }))) return '';
    }
    return this.retry(letters);
  }

  async retry(letters) {
    await retry(this.name, letters, (taken) => this.forget(taken));
    return `${plural(letters.length, 'message')} of ${this.name} ${letters.length === 1 ? 'is' : 'are'} retried.`;
  }

  async remove(letters) {
    const content = [el('p', {}, `${plural(letters.length, 'dead letter')} of ${this.name} will be deleted permanently.`)];
    if (!(await ask({ title: 'Delete dead letters?', content, confirm: `Delete ${letters.length}`, danger: true }))) return '';
    const { deleted } = await post('api/delete-dead', { consumer: this.name, numbers: numbers(letters) });
    this.forget(letters);
    return `${plural(deleted, 'dead letter')} deleted.`;
  }
}
