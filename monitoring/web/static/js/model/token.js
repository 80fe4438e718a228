// What a token looks like: as monitoring/web/token.py has it. Pure.

export const FORM = /^[A-Za-z0-9_.~+/=-]{32,512}$/;

/** From '#token=...': null where the address says nothing of one, '' where it is none. */
export function tokenIn(hash) {
  return wordIn(hash, '#token=');
}

/** From '#code=...', likewise: what is good once, for a minute. */
export function codeIn(hash) {
  return wordIn(hash, '#code=');
}

function wordIn(hash, start) {
  if (!hash.startsWith(start)) return null;
  const found = decoded(hash.slice(start.length));
  return FORM.test(found) ? found : '';
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
