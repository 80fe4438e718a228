// Page: passes the hub's status to the header and to the view that the address names.

import { forbid } from './base/actions.js';
import { Announcer } from './base/announcer.js';
import { setAttribute } from './base/dom.js';
import { route } from './base/routes.js';
import { whenReadOnly } from './link/api.js';
import { loadCatalogue } from './link/catalogue.js';
import { Feed } from './link/feed.js';
import { Past } from './link/past.js';
import { onToken, takeFromAddress } from './link/token.js';
import { ConsumerView } from './view/consumer.js';
import { ConsumersView } from './view/consumers.js';
import { Header } from './view/header.js';
import { HubView } from './view/hub.js';

const READ_ONLY = 'This web server is read-only.';
const FIRST_MS = 3000;
const AGAIN_MS = 2000;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Page {
  constructor() {
    this.main = document.getElementById('main');
    this.header = new Header();
    this.past = new Past();
    this.announcer = new Announcer(document.getElementById('announcer'));
    this.feed = new Feed((snapshot) => this.heard(snapshot), (live) => this.connected(live));
    this.snapshot = null;
    this.view = null;
  }

  async start() {
    // Here early.js sees that all modules are loaded.
    document.documentElement.dataset.started = '';
    sessionStorage.removeItem('hubbub.reloads');
    await takeFromAddress();
    whenReadOnly((reason) => forbid(reason || READ_ONLY));
    addEventListener('hashchange', () => this.moved());
    await Promise.race([this.load(), sleep(FIRST_MS)]);
    this.feed.start();
    onToken(() => this.feed.connect());
    setInterval(() => this.header.tick(this.feed), 1000);
  }

  /** Load the history and the catalogue, until the hub has answered both. The page works without them meanwhile. */
  async load() {
    for (;;) {
      const answered = await Promise.all([this.past.load(), loadCatalogue()]);
      if (answered.every(Boolean)) break;
      await sleep(AGAIN_MS);
    }
    if (this.view !== null) this.show();
  }

  heard(snapshot) {
    this.snapshot = snapshot;
    if (readOnly(Object.values(snapshot.servers ?? {}))) forbid(READ_ONLY);
    this.past.append(snapshot);
    this.header.update(snapshot);
    this.announcer.update(snapshot);
    if (this.view === null) this.show();
    else this.view.update(snapshot);
  }

  /** Note that the connection was established or lost. */
  async connected(live) {
    this.header.tick(this.feed);
    if (this.lostBefore !== undefined) this.announcer.say(live ? 'Connected again' : 'Disconnected from the hub');
    setAttribute(document.documentElement, 'data-disconnected', !live);
    if (live && this.lostBefore) {
      await Promise.all([this.past.load(), loadCatalogue()]);
      this.view?.reconnected?.();
    }
    this.lostBefore = !live;
  }

  moved() {
    if (location.hash === '#main') return;
    takeFromAddress();
    if (this.snapshot === null) return;
    this.show();
    scrollTo(0, 0);
    this.main.focus({ preventScroll: true });
  }

  show() {
    const { view, name } = route();
    this.view?.close?.();
    this.view = view === 'hub' ? new HubView() : view === 'consumer' ? new ConsumerView(name, this.past) : new ConsumersView(this.past);
    this.main.replaceChildren(this.view.node);
    document.body.dataset.view = view;
    document.title = [this.view.title, 'hubbub'].filter(Boolean).join(' - ');
    for (const link of document.querySelectorAll('nav a[data-view]')) {
      setAttribute(link, 'aria-current', link.dataset.view === view ? 'page' : null);
    }
    this.view.update(this.snapshot);
  }
}

/** Whether this page's server is known to be read-only. Behind a proxy it is unknown which server it is, until the first refusal. */
function readOnly(servers) {
  const web = servers.filter((server) => 'read_only' in server);
  const own = web.filter((server) => server.address?.endsWith(`:${location.port}`));
  const possible = own.length ? own : web;
  return possible.length > 0 && possible.every((server) => server.read_only);
}

new Page().start();
