// How a consumer, a backend or the store is, as a level, a word and the name of an icon. Pure.

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
  drained: ['info', 'drained'],
  stopping: ['warn', 'stopping'],
  stopped: ['off', 'stopped'],
  orphan: ['off', 'orphan'],
  full: ['bad', 'full'],
  stuck: ['bad', 'stuck'],
  failed: ['bad', 'failed'],
  'failing to start': ['bad', 'failing to start'],
};
const RANKS = { bad: 0, warn: 1, info: 2, ok: 3, off: 4 };
const SMALL = 10;
/* Below so many messages a consumer that falls behind is no problem yet: it comes and goes with each message. */

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

/** Of a consumer: its state, with what was ordered where that says something else; 'behind' where it runs and yet falls behind. */
export function condition(row) {
  const found = look(row.state);
  for (const [order, states] of Object.entries(ORDERS)) {
    if (row[order] && !states.includes(row.state)) found.word += `, ${order}`;
  }
  if (found.level === 'ok' && row.trend === 'falling_behind' && row.backlog >= SMALL) {
    return { level: 'warn', word: 'behind' };
  }
  return found;
}

/** The smaller the more it needs an operator. */
export function urgency(row) {
  return RANKS[condition(row).level];
}
