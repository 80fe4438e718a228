// Announcer for screen readers: reads out changes of states, readiness and connection, never numbers.

import { setText } from './dom.js';

const EVERY_MS = 4000;

export class Announcer {
  constructor(region) {
    this.region = region;
    this.states = new Map();
    this.facts = new Map();
    this.pending = [];
    this.timer = null;
  }

  /** Compare with the last snapshot, and announce the differences. */
  update(snapshot) {
    for (const [name, row] of Object.entries(snapshot.consumers)) {
      const words = lasting(row);
      this.note(this.states, name, words, (before) => `${name} is ${words}, it was ${before}`);
    }
    const ready = snapshot.hub.ready === false ? `not ready: ${(snapshot.hub.not_ready ?? []).join('; ')}` : 'ready';
    this.note(this.facts, 'ready', ready, () => `The hub is ${ready}`);
    const held = snapshot.hub.held_back ? `held back: ${snapshot.hub.held_back_by ?? ''}` : 'received';
    this.note(this.facts, 'held', held, () => `Messages are ${held}`);
  }

  note(facts, key, value, sentence) {
    const before = facts.get(key);
    facts.set(key, value);
    if (before !== undefined && before !== value) this.say(sentence(before));
  }

  /** Announce a text soon, together with others. */
  say(text) {
    this.pending.push(text);
    this.timer ??= setTimeout(() => {
      setText(this.region, `${this.pending.slice(-5).join('. ')}.`);
      this.pending = [];
      this.timer = null;
    }, this.region.textContent ? EVERY_MS : 100);
  }
}

/** Conditions of a consumer, without the one that comes and goes with each spike. */
function lasting(row) {
  const words = row.conditions.map((one) => one.word).filter((word) => word !== 'falling behind');
  return words.join(', ') || 'running';
}
