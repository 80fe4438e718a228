// Buttons that change something at the hub. They wait for the answer, tell it, and are shown disabled, with the reason,
// where the server lets nobody change anything.

import { Cancelled } from '../link/api.js';
import { el, setAttribute } from './dom.js';
import { icon } from './icons.js';
import { notice } from './notices.js';

let forbidden = null;

/** From now on nothing can be changed here; `reason` is shown on each button. */
export function forbid(reason) {
  if (forbidden === reason) return;
  forbidden = reason;
  document.documentElement.toggleAttribute('data-read-only', Boolean(reason));
  for (const button of document.querySelectorAll('button[data-action]')) mark(button);
}

/**
 * @param work does it; what it resolves with, if a text, is shown.
 * @param options kind: 'danger', 'primary' or 'plain'; symbol: an icon; label: for screen readers; reads: it changes
 * nothing, and is never disabled.
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

/** Show that an action is under way, then what came of it. */
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

/** An error as a notice; one who cancelled knows. */
export function tell(error) {
  if (!(error instanceof Cancelled)) notice(error.message, 'bad');
}

function mark(button) {
  setAttribute(button, 'aria-disabled', forbidden ? 'true' : null);
  setAttribute(button, 'title', forbidden);
}
