// Feed of the hub's status: reconnects when the connection is lost or silent.

import { statuses } from './stream.js';

const SILENT_MS = 6000;
const AGAIN_MS = 2000;

export class Feed {
  /**
   * @param onSnapshot called with each status. @param onConnection called with whether the hub is connected, on changes.
   * @param open opens a connection; returns an iterator like `statuses`.
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

  /** Connect now, and replace the current connection: it may be dead, or use another token. */
  async connect() {
    clearTimeout(this.again);
    this.stopper.abort();
    this.stopper = new AbortController();
    this.lastByte = Date.now();
    const { signal } = this.stopper;
    try {
      await this.listen(signal);
    } catch {
      // The connection failed, was refused or lost: in each case the next attempt follows.
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

  /** Detect a dead connection by its silence: a hub or proxy that vanished closes nothing. */
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
