// Action buttons. They wait for the hub's answer and show it; on a read-only server they are disabled, with the reason.

import { Cancelled } from '../link/api.js';
import { el, setAttribute } from './dom.js';
import { icon } from './icons.js';
import { notice } from './notices.js';

let forbidden = null;

/** Disable all actions; `reason` is shown on each button. */
export function forbid(reason) {
  if (forbidden === reason) return;
  forbidden = reason;
  document.documentElement.toggleAttribute('data-read-only', Boolean(reason));
  for (const button of document.querySelectorAll('button[data-action]')) mark(button);
}

/**
 * @param work performs the action; if it resolves with a text, that is shown.
 * @param options kind: 'danger', 'primary' or 'plain'; symbol: an icon; label: for screen readers; reads: the action
 * only reads, and is never disabled.
 */
export function action(text, work, { kind = '', symbol = null, label = null, type = 'button', reads = false } = {}) {
  const button = el('button', { type, class: kind, 'data-action': !reads, 'aria-label': label }, symbol && icon(symbol), el('span', {}, text));
  if (!reads) mark(button);
  button.addEventListener('click', (event) => {
    event.preventDefault();
    if (forbidden && !reads) notice(forbidden, 'info');
    else run(button, work);
  });
  return button;
}

/** Show that an action is running, then its outcome. */
async function run(button, work) {
  if (button.hasAttribute('aria-busy')) return;
  setAttribute(button, 'aria-busy', 'true');
  try {
    const told = await work();
    if (typeof told === 'string' && told) notice(told);
  } catch (error) {
    tell(error);
  } finally {
    setAttribute(button, 'aria-busy', null);
  }
}

/** Show an error as a notice, unless the user cancelled. */
export function tell(error) {
  if (!(error instanceof Cancelled)) notice(error.message, 'bad');
}

function mark(button) {
  setAttribute(button, 'aria-disabled', forbidden ? 'true' : null);
  setAttribute(button, 'title', forbidden);
}
