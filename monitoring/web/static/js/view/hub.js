// View of the hub: backends, store, exporters and servers, and the actions on the whole hub.

import { action } from '../base/actions.js';
import { ask } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { post } from '../link/api.js';
import { facts } from '../model/catalogue.js';
import { NOTHING } from '../model/number.js';
import { Backends } from './backends.js';
import { card, Pairs } from './card.js';
import { Clusters } from './clusters.js';
import { Outlets } from './outlets.js';
import { PublishForm } from './publish.js';
import { Store } from './store.js';

export class HubView {
  constructor() {
    this.title = 'Hub';
    this.reload = action('Reload the configuration', () => this.reloadNow());
    this.drain = action('Drain the hub', () => this.askDrain());
    this.resume = action('Resume the hub', async () => (await post('api/resume-hub')) && 'Intake resumed.', { kind: 'primary', symbol: 'play' });
    this.outcome = el('div', { role: 'status' });
    this.parts = [new Backends(), new Store(), new Outlets(), new PublishForm(), new Process(), new Clusters()];
    const commands = el('div', { class: 'commands', role: 'group', 'aria-label': 'Actions on the hub' }, this.resume, this.reload, this.drain);
    const [backends, store, outlets, publish, process, clusters] = this.parts.map((part) => part.node);
    const content = el('div', { class: 'detail' }, clusters, backends, el('div', { class: 'columns' }, store, publish), el('div', { class: 'columns' }, outlets, process));
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
    const lines = all.length ? el('ul', {}, ...all.map((line) => el('li', {}, line))) : 'Nothing has changed.';
    const title = problems.length ? 'The configuration was reloaded, but parts of it did not take effect.' : 'The configuration was reloaded.';
    this.outcome.replaceChildren(el('div', { class: 'outcome' }, el('strong', {}, title), el('div', {}, lines)));
    return '';
  }

  async askDrain() {
    const content = [el('p', {}, 'All buses are held back, and the consumers work off their backlogs. A bus without a broker drops messages meanwhile.')];
    if (!(await ask({ title: 'Drain the hub?', content, confirm: 'Drain' }))) return '';
    await post('api/drain-hub');
    return 'The buses are held back; the consumers work off their backlogs.';
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
    this.pairs.show([['Configuration', hub.config ?? NOTHING], ['Process', String(hub.pid)], ...facts('hub', hub)]);
  }
}
