// The token that actions need: kept for this tab only, taken once from the address, or asked for.

import { ask, field } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { FORM, tokenIn } from '../model/token.js';

const KEY = 'hubbub.token';
const listeners = new Set();
let asking = null;

export function token() {
  return sessionStorage.getItem(KEY);
}

export function onToken(listener) {
  listeners.add(listener);
}

export function setToken(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

/** From '#token=...', which then leaves the address bar and the history, whatever it is. */
export function takeFromAddress() {
  const found = tokenIn(location.hash);
  if (found === null) return;
  history.replaceState(null, '', `${location.pathname}${location.search}#/`);
  if (found) setToken(found);
}

/** Ask the reader; whether one was entered. Several that need one at once ask once. */
export function askForToken(refused) {
  asking ??= dialog(refused).finally(() => {
    asking = null;
  });
  return asking;
}

async function dialog(refused) {
  const input = el('input', { type: 'password', name: 'token', required: true, autofocus: true, autocomplete: 'off', spellcheck: 'false' });
  const entered = await ask({
    title: 'Token',
    content: [
      refused && el('p', { class: 'problem', role: 'alert' }, 'The hub refused that token.'),
      el('p', {}, "Messages' contents, and whatever changes something, need the hub's token."),
      field('Token', input, 'It is kept for this tab only.'),
      el('p', { class: 'hint' }, 'To get it, run ', el('code', {}, 'hubbub web'), ' on the machine of the hub.'),
    ],
    confirm: 'Continue',
    check: (form) => {
      const text = form.get('token').trim();
      if (!text) throw new Error('Enter the token.');
      if (!FORM.test(text)) throw new Error('That is no token: it has 32 letters or more, digits, or any of - _ . ~ + / =');
      return text;
    },
  });
  if (entered) setToken(entered);
  return Boolean(entered);
}
