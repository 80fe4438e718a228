// The hub itself: where messages come from, where they are kept, who is told, and what can be done to all of it.

import { action } from '../base/actions.js';
import { ask } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { post } from '../link/api.js';
import { duration } from '../model/duration.js';
import { bytes, count } from '../model/number.js';
import { Backends } from './backends.js';
import { card, Pairs } from './card.js';
import { Outlets } from './outlets.js';
import { PublishForm } from './publish.js';
import { Store } from './store.js';

export class HubView {
  constructor() {
    this.title = 'Hub';
    this.reload = action('Reload the configuration', () => this.reloadNow());
    this.drain = action('Drain the hub', () => this.askDrain());
    this.resume = action('Resume the hub', async () => (await post('api/resume-hub')) && 'The hub receives again.', { kind: 'primary', symbol: 'play' });
    this.outcome = el('div', { role: 'status' });
    this.parts = [new Backends(), new Store(), new Outlets(), new PublishForm(), new Process()];
    const commands = el('div', { class: 'commands', role: 'group', 'aria-label': 'Actions on the hub' }, this.resume, this.reload, this.drain);
    const [backends, store, outlets, publish, process] = this.parts.map((part) => part.node);
    const content = el('div', { class: 'detail' }, backends, el('div', { class: 'columns' }, store, publish), el('div', { class: 'columns' }, outlets, process));
    this.node = el('section', {}, el('div', { class: 'headline' }, el('h1', {}, 'Hub'), commands), this.outcome, content);
  }

  update(snapshot) {
    this.resume.hidden = !snapshot.hub.draining;
    this.drain.hidden = Boolean(snapshot.hub.draining);
    for (const part of this.parts) part.update(snapshot);
  }

  async reloadNow() {
    this.outcome.replaceChildren();
    const { changes, problems } = await post('api/reload');
    const all = [...problems, ...changes];
    const lines = all.length ? el('ul', {}, ...all.map((line) => el('li', {}, line))) : 'Nothing has changed in it.';
    const title = problems.length ? 'The configuration was reloaded, but not all of it took effect.' : 'The configuration was reloaded.';
    this.outcome.replaceChildren(el('div', { class: 'outcome' }, el('strong', {}, title), el('div', {}, lines)));
    return '';
  }

  async askDrain() {
    const content = [el('p', {}, 'All buses are held back, and the consumers work off all there is. A bus without a broker drops what is not read.')];
    if (!(await ask({ title: 'Drain the hub?', content, confirm: 'Drain' }))) return '';
    await post('api/drain-hub');
    return 'The hub receives nothing more, and works off what it has.';
  }
}

class Process {
  constructor() {
    const { node, body } = card('Process');
    this.node = node;
    this.pairs = new Pairs();
    body.append(this.pairs.node);
  }

  update({ hub }) {
    this.pairs.show([
      ['Configuration', hub.config ?? '–'],
      ['Process', String(hub.pid)],
      ['Memory', bytes(hub.resident_bytes)],
      ['Unaccounted memory', bytes(hub.unaccounted_bytes)],
      ['Uptime', duration(hub.uptime)],
      ['Worst lag in a minute', duration(hub.lag), hub.lag > 0.25 ? 'warn' : null],
      ['Received', `${count(hub.received)}, ${bytes(hub.received_bytes)}`],
      ['Wanted by nobody', count(hub.unrouted)],
      ['Not usable', count(hub.refused), hub.refused ? 'warn' : null],
      ['Duplicates left out', count(hub.duplicates)],
      ['Ids used twice', count(hub.collisions), hub.collisions ? 'warn' : null],
      ['Published', count(hub.published)],
      ['Not published', count(hub.publish_failed), hub.publish_failed ? 'bad' : null],
    ]);
  }
}
