// Theme, light or dark: the system's, unless the user chose one. js/early.js applies the choice before the first paint.

import { el, setAttribute } from './dom.js';
import { icon } from './icons.js';

const KEY = 'hubbub.theme';
const CHOICES = ['system', 'light', 'dark'];
const ICONS = { system: 'system', light: 'sun', dark: 'moon' };
const listeners = new Set();

/** Add a listener to changes of the colours, for graphs, which are drawn, not styled. */
export function onColours(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Current value of a custom property, as a colour for a canvas. */
export function colour(name) {
  const probe = el('span', { hidden: true });
  document.body.append(probe);
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function themeButton() {
  const button = el('button', { type: 'button', class: 'plain' });
  show(button, localStorage.getItem(KEY) ?? 'system');
  button.addEventListener('click', () => {
    const next = CHOICES[(CHOICES.indexOf(localStorage.getItem(KEY) ?? 'system') + 1) % CHOICES.length];
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
    show(button, next);
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  return button;
}

function show(button, theme) {
  setAttribute(document.documentElement, 'data-theme', theme === 'system' ? null : theme);
  button.replaceChildren(icon(ICONS[theme]), el('span', { class: 'wide-only' }, theme));
  setAttribute(button, 'aria-label', `Colours: ${theme}. Change`);
  setAttribute(button, 'title', `Colours: ${theme}`);
}

function changed() {
  for (const listener of listeners) listener();
}
