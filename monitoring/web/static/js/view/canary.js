// Retry of dead letters; with a canary, one first, and the rest once it is finished.

import { ask } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { notice } from '../base/notices.js';
import { post } from '../link/api.js';
import { numbers } from '../model/letters.js';
import { plural } from '../model/number.js';

const PATIENCE = 50;
/* Seconds: a reverse proxy waits for an answer for a minute. */

/**
 * Resolves when the queue has accepted them; throws an Error with the hub's reason if it has not accepted all.
 * @param options `canary` and `timeout`, for the hub.
 * @param forget called with those that are no longer dead letters.
 */
export async function retry(name, letters, forget, options = {}) {
  const { count, problem } = await post('api/retry-dead', { consumer: name, numbers: numbers(letters), ...options });
  if (count >= letters.length) forget(letters);
  if (problem) throw new Error(`${problem}.`);
}

/** Resolves with the text of a notice, when the first is finished and the rest was confirmed. */
export async function canary(name, letters, forget) {
  const [first, ...rest] = letters;
  notice(`Dead letter ${first.number} is retried; waiting for its outcome.`, 'info');
  await retry(name, [first], forget, { canary: 1, timeout: PATIENCE });
  if (!rest.length) return 'The canary was finished.';
  const content = [el('p', {}, `The canary was finished. ${rest.length} more have the same error.`)];
  const yes = await ask({ title: 'Retry the rest?', content, confirm: `Retry ${rest.length}` });
  if (!yes) return 'The canary was finished. The rest was not retried.';
  await retry(name, rest, forget);
  return `${plural(rest.length, 'message')} of ${name} retried.`;
}
