// Dead letters, one first: the rest is only asked for once that one is through.

import { ask } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { notice } from '../base/notices.js';
import { get, named, post } from '../link/api.js';
import { give, tryFirst } from '../model/canary.js';
import { plural } from '../model/number.js';

const POLL_MS = 300;

/** What of the hub it takes to retry dead letters. */
export const hub = {
  retry: (name, numbers) => post('api/retry-dead', { consumer: name, numbers }),
  letters: async (name) => (await get(named('api/dead', name))).dead_letters,
  died: async (name) => (await get('api/status')).consumers[name]?.dead ?? 0,
  unsettled: async (name, start, stop) => (await get(`${named('api/unsettled', name)}?start=${start}&stop=${stop}`)).unsettled,
  now: () => Date.now(),
  pause: () => new Promise((resolve) => setTimeout(resolve, POLL_MS)),
};

/**
 * Resolves with what to tell, when the first has been through and the rest was asked for. Throws an Error that says
 * why it stopped.
 * @param forget given those that are no dead letters any more.
 */
export async function canary(name, letters, forget) {
  const [first, ...rest] = letters;
  await tryFirst(hub, name, [first], () => {
    forget([first]);
    notice(`Dead letter ${first.number} is tried again; waiting for what becomes of it.`, 'info');
  });
  if (!rest.length) return 'It went through.';
  const content = [el('p', {}, `The first one went through. ${rest.length} more died of the same.`)];
  const yes = await ask({ title: 'Retry the rest?', content, confirm: `Retry ${rest.length}` });
  if (!yes) return 'It went through. The rest was left.';
  await give(hub, name, rest);
  forget(rest);
  return `${plural(rest.length, 'message')} of ${name} tried again.`;
}
