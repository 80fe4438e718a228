// Icons in the colour of the text beside them. Each stands next to a word, so they are decoration.

import { svg } from './dom.js';

const PATHS = {
  ok: 'M3.5 8.5l3 3 6-7',
  info: 'M8 2a6 6 0 100 12A6 6 0 008 2zM8 7.6v3.2M8 5.1v.1',
  warn: 'M8 2.2L14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1',
  bad: 'M4 4l8 8M12 4l-8 8',
  off: 'M4 8h8',
  paused: 'M5.5 3.5v9M10.5 3.5v9',
  draining: 'M8 2.5v8M4.5 7.5L8 11l3.5-3.5M3.5 13.5h9',
  play: 'M5 3.2v9.6L12.8 8z',
  up: 'M3.5 11.5l9-7M7.5 4.2l5 .3-.9 4.9',
  sun: 'M8 5.2a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13 9.6A5.6 5.6 0 016.4 3 5.6 5.6 0 108 13.6a5.6 5.6 0 005-4z',
  system: 'M2 3h12v8H2zM5.5 13.5h5M8 11v2.5',
  lock: 'M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 015 0v2.5',
  unlock: 'M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 014.8-1',
  back: 'M9.5 3.5L5 8l4.5 4.5',
  ascending: 'M4.5 9.5L8 6l3.5 3.5',
  descending: 'M4.5 6.5L8 10l3.5-3.5',
};
const OF_WORDS = { paused: 'paused', draining: 'draining', drained: 'draining' };

/** Create an icon of PATHS. */
export function icon(name) {
  return svg(
    'svg',
    { class: 'icon', viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: PATHS[name] }),
  );
}

/** Name of the icon of a condition's word, else of its level. */
export function iconOf({ level, word }) {
  return OF_WORDS[word] ?? level;
}
