// View of one consumer: its numbers, graphs and actions.

import { el, setAttribute } from '../base/dom.js';
import { icon } from '../base/icons.js';
import { Badge } from '../base/badge.js';
import { condition, reasons } from '../model/condition.js';
import { Commands } from './commands.js';
import { Facts } from './facts.js';
import { Graph } from './graph.js';
import { KeyFigures } from './figures.js';
import { LastError } from './lasterror.js';
import { Letters } from './letters.js';
import { Spikes } from './spikes.js';
import { Threads } from './threads.js';
import { Waiting } from './waiting.js';

export class ConsumerView {
  constructor(name, past) {
    this.name = name;
    this.title = name;
    this.badge = new Badge();
    this.commands = new Commands(name);
    this.graph = new Graph(name, past);
    this.parts = [this.commands, new KeyFigures(), this.graph, new LastError(), new Threads(name), new Letters(name)];
    this.parts.push(new Waiting(name), new Spikes(name, (from, to) => this.graph.showTime(from, to)), new Facts());
    const [commands, figures, graph, error, threads, letters, waiting, spikes, facts] = this.parts.map((part) => part.node);
    this.content = el('div', { class: 'detail' }, figures, graph, error, el('div', { class: 'columns' }, threads, spikes), letters, waiting, facts);
    this.why = el('ul', { class: 'reasons', hidden: true });
    this.gone = el('p', { class: 'waiting', hidden: true }, `There is no consumer or queue ${name}.`);
    const heading = el('div', { class: 'headline' }, el('h1', {}, name), this.badge.node, commands);
    this.node = el('section', {}, el('a', { class: 'backlink', href: '#/' }, icon('back'), 'Consumers'), heading, this.why, this.gone, this.content);
  }

  update(snapshot) {
    const row = snapshot.consumers[this.name];
    this.gone.hidden = Boolean(row);
    this.content.hidden = !row;
    this.badge.node.hidden = this.commands.node.hidden = !row;
    if (!row) return;
    this.badge.show(condition(row));
    setAttribute(this.node, 'data-level', condition(row).level);
    this.explain(reasons(row));
    for (const part of this.parts) part.update(row, snapshot.hub.time);
  }

  explain(lines) {
    const key = JSON.stringify(lines);
    if (key === this.explained) return;
    this.explained = key;
    this.why.hidden = !lines.length;
    this.why.replaceChildren(...lines.map((line) => el('li', {}, line)));
  }

  reconnected() {
    for (const part of this.parts) part.reconnected?.();
  }

  close() {
    for (const part of this.parts) part.close?.();
  }
}
