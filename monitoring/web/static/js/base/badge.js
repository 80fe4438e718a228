// Badge of a state: a word with an icon and a colour.

import { el, setAttribute, setText } from './dom.js';
import { icon, iconOf } from './icons.js';

export class Badge {
  constructor() {
    this.word = el('span');
    this.node = el('span', { class: 'badge' }, this.word);
    this.shown = '';
  }

  /** {level, word}, as model/condition.js gives it. */
  show(look) {
    const key = `${look.level} ${look.word}`;
    if (key === this.shown) return;
    this.shown = key;
    setText(this.word, look.word);
    setAttribute(this.node, 'data-level', look.level);
    this.node.replaceChildren(icon(iconOf(look)), this.word);
  }
}
