// Dead letters, grouped by error. Pure.

/**
 * @param letters as the hub lists them, the oldest first.
 * @returns {{error: string, reason: string, letters: object[], first: number, last: number}[]} most frequent first.
 */
export function grouped(letters) {
  const groups = new Map();
  for (const letter of letters) {
    const key = JSON.stringify([letter.error, letter.reason]);
    const group = groups.get(key) ?? { error: letter.error, reason: letter.reason, letters: [], first: Infinity, last: 0 };
    group.letters.push(letter);
    group.first = Math.min(group.first, letter.buried_at);
    group.last = Math.max(group.last, letter.buried_at);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.letters.length - a.letters.length || b.last - a.last);
}

/** Numbers of dead letters. */
export function numbers(letters) {
  return letters.map((letter) => letter.number);
}

/** Body as text: JSON is indented, any other is unchanged. */
export function readable(body) {
  if (typeof body !== 'string') return JSON.stringify(body, null, 2);
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
