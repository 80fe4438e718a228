// Past ten minutes of every consumer: from the hub's history, then from each status.

import { Series } from '../model/series.js';
import { get, isAnswer, LOAD_MS } from './api.js';

export const SPAN = 600;

export class Past {
  constructor() {
    this.series = new Map();
  }

  /** Load the history: at the start, and after a lost connection. Returns whether the hub has answered; the page works without it. */
  async load() {
    let answer;
    try {
      answer = await get(`history?span=${SPAN}`, LOAD_MS);
    } catch (error) {
      return isAnswer(error);
    }
    for (const [name, columns] of Object.entries(answer.consumers)) {
      const series = new Series(SPAN);
      series.load(answer, columns);
      this.series.set(name, series);
    }
    return true;
  }

  append(snapshot) {
    for (const [name, row] of Object.entries(snapshot.consumers)) {
      if (!this.series.has(name)) this.series.set(name, new Series(SPAN));
      this.series.get(name).append(snapshot.hub.time, row);
    }
    for (const name of this.series.keys()) if (!(name in snapshot.consumers)) this.series.delete(name);
  }

  of(name) {
    return this.series.get(name) ?? new Series(SPAN);
  }
}
