// The hub's status as it comes, once a second. EventSource reconnects by itself, except where it was answered with an
// error (a proxy without its hub): then it is made anew.

const SILENT_MS = 6000;
const AGAIN_MS = 3000;

export class Feed {
  /** @param onSnapshot given each status. @param onConnection given whether the hub is heard, when that changes. */
  constructor(onSnapshot, onConnection) {
    this.onSnapshot = onSnapshot;
    this.onConnection = onConnection;
    this.live = null;
    this.lastSeen = null;
    this.source = null;
    this.watch = null;
  }

  start() {
    this.source = new EventSource('events');
    this.source.addEventListener('status', (event) => this.heard(JSON.parse(event.data)));
    this.source.addEventListener('error', () => this.lost());
    this.watch ??= setInterval(() => this.check(), 1000);
  }

  heard(snapshot) {
    this.lastSeen = Date.now();
    this.turn(true);
    this.onSnapshot(snapshot);
  }

  lost() {
    this.turn(false);
    if (this.source.readyState === EventSource.CLOSED) {
      this.source.close();
      setTimeout(() => this.start(), AGAIN_MS);
    }
  }

  check() {
    if (this.live && Date.now() - this.lastSeen > SILENT_MS) this.turn(false);
  }

  turn(live) {
    if (this.live === live) return;
    this.live = live;
    this.onConnection(live);
  }
}
