// Keeps the hub's status coming: a line that is cut, or over which nothing comes any more, is made anew.

import { statuses } from './stream.js';

const SILENT_MS = 6000;
const AGAIN_MS = 2000;

export class Feed {
  /**
   * @param onSnapshot given each status. @param onConnection given whether the hub is heard, when that changes.
   * @param open makes a line: what it gives is as `statuses`.
   */
  constructor(onSnapshot, onConnection, open = statuses) {
    this.onSnapshot = onSnapshot;
    this.onConnection = onConnection;
    this.open = open;
    this.live = null;
    this.lastSeen = null;
    this.lastByte = 0;
    this.stopper = new AbortController();
    this.again = null;
  }

  start() {
    setInterval(() => this.check(), 1000);
    this.connect();
  }

  /** Now, in the place of the line that there is: it may be dead, or was made with another token. */
  async connect() {
    clearTimeout(this.again);
    this.stopper.abort();
    this.stopper = new AbortController();
    this.lastByte = Date.now();
    const { signal } = this.stopper;
    try {
      await this.listen(signal);
    } catch {
      // Cut, refused, or not even made: all the same to who waits for the next one.
    }
    if (signal.aborted) return;
    this.turn(false);
    this.again = setTimeout(() => this.connect(), AGAIN_MS);
  }

  async listen(signal) {
    for await (const snapshot of this.open(signal)) {
      if (signal.aborted) return;
      this.lastByte = Date.now();
      if (snapshot) this.heard(snapshot);
    }
  }

  heard(snapshot) {
    this.lastSeen = this.lastByte;
    try {
      this.turn(true);
      this.onSnapshot(snapshot);
    } catch (error) {
      reportError(error);
    }
  }

  /** A hub that is gone without a word, or a proxy that is, closes nothing: only its silence tells. */
  check() {
    if (this.live && Date.now() - this.lastSeen > SILENT_MS) this.turn(false);
    if (Date.now() - this.lastByte > SILENT_MS) this.connect();
  }

  turn(live) {
    if (this.live === live) return;
    this.live = live;
    this.onConnection(live);
  }
}
