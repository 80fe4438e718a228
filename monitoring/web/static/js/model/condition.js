// How a consumer, a backend or the store is, as a level, a word and the name of an icon. Pure.
// The conditions of a consumer are the hub's own: hub/stats/condition.py has the words, the levels and the reasons.

const WORDS = {
  running: ['ok', 'running'],
  connected: ['ok', 'connected'],
  listening: ['ok', 'listening'],
  ok: ['ok', 'ok'],
  starting: ['info', 'starting'],
  connecting: ['warn', 'connecting'],
  reloading: ['info', 'reloading'],
  paused: ['info', 'paused'],
  draining: ['info', 'draining'],
  stopping: ['warn', 'stopping'],
  stopped: ['off', 'stopped'],
  full: ['bad', 'full'],
  failed: ['bad', 'failed'],
};
const RANKS = { bad: 0, warn: 1, info: 2, ok: 3, off: 4 };

/** {level, word}: level is one of bad, warn, info, ok, off; an unknown state is its own word. */
export function look(state) {
  const [level, word] = WORDS[state] ?? ['warn', String(state)];
  return { level, word };
}

const ORDERS = { paused: ['paused'], draining: ['draining', 'drained'] };
/* By each order of an operator, the states that say it. */

/** Whether an operator has it paused or drained: it can be resumed. */
export function held(row) {
  return Object.entries(ORDERS).some(([order, states]) => row[order] || states.includes(row.state));
}

/** Of a consumer: all that holds of it in one word or more, the level of the worst, and why. */
export function condition(row) {
  const words = row.conditions.map((one) => one.word).join(', ');
  return { level: row.conditions[0].level, word: words, reasons: reasons(row) };
}

/** A line for each condition that has a reason. */
export function reasons(row) {
  return row.conditions.filter((one) => one.reason).map((one) => `${one.word}: ${one.reason}`);
}

/** The smaller the more it needs an operator. */
export function urgency(row) {
  return RANKS[condition(row).level];
}
