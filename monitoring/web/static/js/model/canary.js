// Dead letters are given to their consumer again, some of them before the others. The command has the same rule, in
// hub/cli/remote.py; tests/unit/canary.json has cases for both. Asks by way of `hub`: see view/canary.js.

import { later, numbers } from './letters.js';

const PATIENCE_MS = 60000;

/** Resolves with where they lie now. Throws an Error if the queue did not take them all. */
export async function give(hub, name, letters) {
  const given = await hub.retry(name, numbers(letters));
  if (given.count < letters.length) {
    const took = `The queue of ${name} took ${given.count} of ${letters.length} dead letters`;
    throw new Error(`${took}: it is full, or some were gone already. What it did not take was left. List them again.`);
  }
  return given;
}

/**
 * Resolves when they have been through; throws an Error that says why the others are to be left.
 * @param given called once the queue has taken them.
 */
export async function tryFirst(hub, name, letters, given = () => {}) {
  const died = await hub.died(name);
  const highest = (await hub.letters(name)).at(-1)?.number ?? 0;
  const ids = new Set(letters.map((letter) => letter.id));
  const { start, stop } = await give(hub, name, letters);
  const deadline = hub.now() + PATIENCE_MS;
  given();
  while ((await hub.unsettled(name, start, stop)) > 0) await pause(hub, deadline);
  // It is counted when it dies, and listed when that is committed: a slow disk must not pass for a mended cause.
  for (;;) {
    const count = (await hub.died(name)) - died;
    if (count <= 0) return;
    const fresh = later(await hub.letters(name), highest);
    const again = fresh.filter((letter) => ids.has(letter.id));
    if (again.length) throw new Error(`${again.length} died again: ${again[0].reason}. The rest was left.`);
    if (fresh.length >= count) return;
    await pause(hub, deadline);
  }
}

async function pause(hub, deadline) {
  if (hub.now() >= deadline) throw new Error('The first was not through after a minute. The rest was left.');
  await hub.pause();
}
