// Token that actions need: stored for this tab only, exchanged for the code in the address, or entered.

import { ask, field } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { notice } from '../base/notices.js';
import { FORM, codeIn, tokenIn } from '../model/token.js';

const KEY = 'hubbub.token';
const EXCHANGE_MS = 10_000;
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

/** Take '#code=...' or '#token=...' from the address bar, and remove it there. */
export async function takeFromAddress() {
  const [code, found] = [codeIn(location.hash), tokenIn(location.hash)];
  if (code === null && found === null) return;
  history.replaceState(null, '', `${location.pathname}${location.search}#/`);
  if (found) setToken(found);
  if (code) await exchange(code);
}

/** Exchange the link's code for a session. Without it the page shows the public numbers. */
async function exchange(code) {
  try {
    const found = await fetch('login', { method: 'POST', body: JSON.stringify({ code }), cache: 'no-store', credentials: 'same-origin', signal: AbortSignal.timeout(EXCHANGE_MS) });
    const answer = await found.json();
    if (found.ok) setToken(answer.token);
    else notice(answer.problems.join(' '), 'bad');
  } catch {
    notice('The hub does not answer. Open the link again.', 'bad');
  }
}

/** Ask for the token. Resolves with whether one was entered; concurrent calls share one dialog. */
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
      el('p', {}, "Message contents and actions need the hub's token."),
      field('Token', input, 'It is stored for this tab only.'),
      el('p', { class: 'hint' }, 'To get it, run ', el('code', {}, 'hubbub web'), ' on the machine of the hub.'),
    ],
    confirm: 'Continue',
    check: (form) => {
      const text = form.get('token').trim();
      if (!text) throw new Error('Enter the token.');
      if (!FORM.test(text)) throw new Error('A token has at least 32 letters, digits, or any of - _ . ~ + / =');
      return text;
    },
  });
  if (entered) setToken(entered);
  return Boolean(entered);
}
