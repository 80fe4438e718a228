// Routes: the view that the address names, #/, #/hub or #/consumer/NAME.

import { decoded } from '../model/address.js';

/** Current route: {view: 'consumers' | 'hub' | 'consumer', name?: string} */
export function route(hash = location.hash) {
  const [view, ...rest] = hash.replace(/^#\/?/, '').split('/');
  if (view === 'hub') return { view };
  if (view === 'consumer' && rest.length) return { view, name: decoded(rest.join('/')) };
  return { view: 'consumers' };
}

/** Address of a consumer's view. */
export function consumerAddress(name) {
  return `#/consumer/${encodeURIComponent(name)}`;
}
