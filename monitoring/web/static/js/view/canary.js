// Dead letters, one first: the rest is only asked for once that one is through.

import { ask } from '../base/dialogs.js';
import { el } from '../base/dom.js';
import { notice } from '../base/notices.js';
import { get, named, post } from '../link/api.js';
import { later, numbers } from '../model/letters.js';
import { plural } from '../model/number.js';

const POLL_MS = 300;
const PATIENCE_MS = 60000;

/** Retry them. Resolves with those that the queue took: the first ones, if it is full. */
export async function retried(name, letters) {
  const { start, stop } = await post('api/retry-dead', { consumer: name, numbers: numbers(letters) });
  return letters.toSorted((one, other) => one.number - other.number).slice(0, stop - start);
}

/**
 * Resolves with what to tell, when the first has been through and the rest was asked for. Throws an Error that says
 * why it stopped.
 * @param forget given those that are no dead letters any more.
 */
export async function canary(name, letters, forget) {
  const [first, ...rest] = letters;
  const all = (await get(named('api/dead', name))).dead_letters;
  const highest = Math.max(0, ...numbers(all));
  const { start, stop } = await post('api/retry-dead', { consumer: name, numbers: [first.number] });
  if (start === stop) throw new Error(`The queue of ${name} is full: none was retried.`);
  forget([first]);
  notice(`Dead letter ${first.number} is tried again; waiting for what becomes of it.`, 'info');
  await settled(name, start, stop);
  const again = later((await get(named('api/dead', name))).dead_letters, highest).filter((letter) => letter.id === first.id);
  if (again.length) throw new Error(`It died again: ${again[0].reason}. The rest was left.`);
  if (!rest.length) return 'It went through.';
  const content = [el('p', {}, `The first one went through. ${rest.length} more died of the same.`)];
  const yes = await ask({ title: 'Retry the rest?', content, confirm: `Retry ${rest.length}` });
  if (!yes) return 'It went through. The rest was left.';
  const taken = await retried(name, rest);
  forget(taken);
  return `${plural(taken.length, 'message')} of ${name} tried again.`;
}

async function settled(name, start, stop) {
  const deadline = Date.now() + PATIENCE_MS;
  while ((await get(`${named('api/unsettled', name)}?start=${start}&stop=${stop}`)).unsettled > 0) {
    if (Date.now() > deadline) throw new Error('The first one was not through after a minute. The rest was left.');
    await pause();
  }
  await pause(); // A dead letter is seen once it is committed.
}

function pause() {
  return new Promise((resolve) => {
    setTimeout(resolve, POLL_MS);
  });
}
