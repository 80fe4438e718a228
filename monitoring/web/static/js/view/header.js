// The top of the page: the hub as a whole, and whether it is heard.

import { action, tell } from '../base/actions.js';
import { Badge } from '../base/badge.js';
import { el, setAttribute, setText } from '../base/dom.js';
import { icon } from '../base/icons.js';
import { themeButton } from '../base/theme.js';
import { post } from '../link/api.js';
import { askForToken, onToken, setToken, token } from '../link/token.js';
import { allClear } from '../model/catchup.js';
import { look } from '../model/condition.js';
import { duration } from '../model/duration.js';
import { clock } from '../model/moment.js';
import { count, rate } from '../model/number.js';

const DRAINED = 'the hub is drained';
/* A reason not to be ready that an operator gave; it has a line of its own. */

export class Header {
  constructor() {
    this.live = el('span', { class: 'live' });
    this.lock = el('button', { type: 'button', class: 'plain', onClick: () => toggleToken() });
    this.readOnly = el('span', { class: 'read-only' }, icon('lock'), 'read-only');
    document.getElementById('tools').append(this.live, this.readOnly, this.lock, themeButton());
    this.badge = new Badge();
    this.figures = {};
    this.summary = document.getElementById('summary');
    this.banners = document.getElementById('banners');
    this.shownBanners = '';
    onToken(() => this.showLock());
    this.showLock();
  }

  update(snapshot) {
    const { hub, consumers } = snapshot;
    setText(document.getElementById('hub-name'), hub.name);
    setText(document.getElementById('hub-version'), hub.version);
    this.badge.show(hub.draining ? look('draining') : hub.ready === false ? { level: 'bad', word: `${hub.state}, not ready` } : look(hub.state));
    const rows = Object.values(consumers);
    const clear = allClear(hub.headline, hub.time);
    this.figure('State', this.badge.node);
    this.figure('Total backlog', count(hub.backlog), '', 'large');
    this.figure('Time to catch up', clear.main, clear.detail, 'large', clear.kind);
    this.figure('In/s', rate(sum(rows, 'rate_in')), 'to all queues');
    this.figure('Out/s', rate(sum(rows, 'rate_out')), 'of all queues');
    this.figure('Uptime', duration(hub.uptime));
    this.showBanners(hub);
  }

  /** A term and its value, made once. */
  figure(term, value, detail = '', size = '', kind = '') {
    if (!this.figures[term]) {
      const main = el('span', { class: 'main' });
      const small = el('small');
      this.figures[term] = { main, small, node: el('div', {}, el('dt', {}, term), el('dd', {}, main, small)) };
      this.summary.append(this.figures[term].node);
    }
    const found = this.figures[term];
    if (typeof value === 'string') setText(found.main, value);
    else if (found.main.firstChild !== value) found.main.replaceChildren(value);
    setText(found.small, detail);
    setAttribute(found.node, 'class', size || null);
    setAttribute(found.node, 'data-kind', kind || null);
  }

  /** What an operator has to know first: each is a line, made anew only when the lines change. */
  showBanners(hub) {
    const reasons = hub.ready === false ? (hub.not_ready ?? []) : [];
    const lines = reasons.filter((reason) => !hub.draining || !reason.startsWith(DRAINED)).map((reason) => ['bad', 'Not ready', reason]);
    if (hub.held_back) lines.push(['warn', 'Held back', hub.held_back_by ?? 'the buses are not read']);
    if (hub.draining) lines.push(['info', 'Draining', 'nothing new is received; what waits is worked off', 'resume']);
    const key = JSON.stringify(lines);
    if (key === this.shownBanners) return;
    this.shownBanners = key;
    this.banners.replaceChildren(...lines.map((line) => banner(...line)));
  }

  /** Once a second, whether or not anything is heard. */
  tick(feed) {
    const seen = feed.lastSeen === null ? 'never' : `${clock(feed.lastSeen / 1000)}`;
    const text = feed.live ? 'Live' : feed.live === null ? 'Connecting' : `Disconnected, last seen ${seen}`;
    setAttribute(this.live, 'data-live', feed.live ? 'yes' : 'no');
    if (this.live.textContent === text) return;
    this.live.replaceChildren(icon(feed.live ? 'ok' : 'bad'), el('span', {}, text));
  }

  showLock() {
    const has = Boolean(token());
    this.lock.replaceChildren(icon(has ? 'unlock' : 'lock'), el('span', { class: 'wide-only' }, has ? 'token set' : 'no token'));
    setAttribute(this.lock, 'aria-label', has ? 'token set: forget it' : 'no token: enter it');
    setAttribute(this.lock, 'title', has ? 'Forget the token' : 'Enter the token that actions need');
  }
}

function banner(level, word, text, resume) {
  const button = resume && action('Resume', async () => (await post('api/resume-hub')) && 'The hub receives again.');
  return el('p', { class: 'banner', 'data-level': level }, icon(level), el('strong', {}, `${word}: `), el('span', {}, text), button);
}

function toggleToken() {
  if (token()) setToken(null);
  else askForToken(false).catch(tell);
}

function sum(rows, key) {
  const known = rows.map((row) => row[key]).filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((total, value) => total + value, 0) : null;
}
