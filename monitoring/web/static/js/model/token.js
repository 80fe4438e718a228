// What a token looks like: as monitoring/web/token.py has it. Pure.

export const FORM = /^[A-Za-z0-9_.~+/=-]{32,512}$/;

/** From '#token=...': null where the address says nothing of one, '' where it is none. */
export function tokenIn(hash) {
  if (!hash.startsWith('#token=')) return null;
  const found = decoded(hash.slice('#token='.length));
  return FORM.test(found) ? found : '';
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
