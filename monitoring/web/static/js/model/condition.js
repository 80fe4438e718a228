// Condition of a consumer, a backend or the store, as a level, a word and the name of an icon. Pure.
// The conditions of a consumer are the hub's own: hub/stats/condition.py has the words, the levels and the reasons.

const LEVELS = {
  running: 'ok',
  connected: 'ok',
  listening: 'ok',
  ok: 'ok',
  starting: 'info',
  connecting: 'warn',
  reloading: 'info',
  draining: 'info',
  stopping: 'warn',
  stopped: 'off',
  full: 'bad',
  failed: 'bad',
  left: 'off',
  vanished: 'bad',
  unheard: 'warn',
  deaf: 'warn',
};
const RANKS = { bad: 0, warn: 1, info: 2, ok: 3, off: 4 };

/** {level, word} of a state of the hub, the store, or a backend: level is one of bad, warn, info, ok, off. */
export function look(state) {
  return { level: LEVELS[state] ?? 'warn', word: String(state) };
}

/** Condition of a consumer: the words of all that hold, the level of the worst, and the reasons. */
export function condition(row) {
  return { level: row.conditions[0].level, word: row.condition, reasons: reasons(row) };
}

/** Lines of all conditions with a reason. */
export function reasons(row) {
  return row.conditions.filter((one) => one.reason).map((one) => `${one.word}: ${one.reason}`);
}

/** Sort key: the smaller, the more urgent. */
export function urgency(row) {
  return RANKS[condition(row).level];
}
