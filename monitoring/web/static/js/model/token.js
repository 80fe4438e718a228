// Form of a token, as in monitoring/web/token.py. Pure.

import { decoded } from './address.js';

export const FORM = /^[A-Za-z0-9_.~+/=-]{32,512}$/;

/** Token in '#token=...'; null if there is none, '' if it has not the form of one. */
export function tokenIn(hash) {
  return wordIn(hash, '#token=');
}

/** Code in '#code=...', likewise; it works once, for a minute. */
export function codeIn(hash) {
  return wordIn(hash, '#code=');
}

function wordIn(hash, start) {
  if (!hash.startsWith(start)) return null;
  const found = decoded(hash.slice(start.length));
  return FORM.test(found) ? found : '';
}
