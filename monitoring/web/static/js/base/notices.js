// Notices: outcomes of actions, shown for a while, and read out.

import { el } from './dom.js';

const SHOWN_MS = 8000;
const MOST = 4;

/** Show a notice. @param level 'ok', 'bad' or 'info'. A bad one stays until it is closed. */
export function notice(text, level = 'ok') {
  const place = document.getElementById('notices');
  const close = el('button', { type: 'button', class: 'plain', 'aria-label': 'Close this notice' }, '×');
  const node = el('div', { class: 'notice', 'data-level': level, role: level === 'bad' ? 'alert' : 'status' }, el('span', {}, text), close);
  close.addEventListener('click', () => node.remove());
  place.append(node);
  while (place.children.length > MOST) place.firstElementChild.remove();
  if (level !== 'bad') setTimeout(() => node.remove(), SHOWN_MS);
}
