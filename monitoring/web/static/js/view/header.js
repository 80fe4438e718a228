// Header of the page: the state of the hub, and of the connection to it.

import { action, tell } from '../base/actions.js';
import { Badge } from '../base/badge.js';
import { el, setAttribute, setText } from '../base/dom.js';
import { icon } from '../base/icons.js';
import { themeButton } from '../base/theme.js';
import { post } from '../link/api.js';
import { askForToken, onToken, setToken, token } from '../link/token.js';
import { heading } from '../model/catalogue.js';
import { allClear } from '../model/catchup.js';
import { look } from '../model/condition.js';
import { duration } from '../model/duration.js';
import { clock } from '../model/moment.js';
import { count, rate } from '../model/number.js';

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
    const rows = Object.values(consumers).filter((row) => !row.summed_in); // another row sums the others
    const clear = allClear(hub.headline, hub.time);
    this.figure('State', this.badge.node);
    this.figure('Total backlog', count(hub.backlog), '', 'large');
    this.figure(heading('consumers', 'catch_up_seconds'), clear.main, clear.detail, 'large', clear.kind);
    this.figure(heading('consumers', 'rate_in'), rate(sum(rows, 'rate_in')), 'received, all queues');
    this.figure(heading('consumers', 'rate_out'), rate(sum(rows, 'rate_out')), 'settled, all queues');
    this.figure(heading('hub', 'uptime'), duration(hub.uptime));
    this.showBanners(hub);
  }

  /** Show a term and its value; their elements are made once. */
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

  /** Show the most important problems, a line each; the elements are replaced only when the lines change. */
  showBanners(hub) {
    // The first reason of a drained hub is that an operator has drained it, which has a banner of its own.
    const reasons = (hub.not_ready ?? []).slice(hub.draining ? 1 : 0);
    const lines = reasons.map((reason) => ['bad', 'Not ready', reason]);
    if (hub.held_back) lines.push(['warn', 'Held back', hub.held_back_by ?? 'no reason is known']);
    if (hub.draining) lines.push(['info', 'Draining', 'an operator has held back the buses; the consumers work off their backlogs', 'resume']);
    const key = JSON.stringify(lines);
    if (key === this.shownBanners) return;
    this.shownBanners = key;
    this.banners.replaceChildren(...lines.map((line) => banner(...line)));
  }

  /** Update the state of the connection; called once a second. */
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
  const button = resume && action('Resume', async () => (await post('api/resume-hub')) && 'Intake resumed.');
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
