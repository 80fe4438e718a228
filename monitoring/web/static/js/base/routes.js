// Which view is meant by the address: #/, #/hub, #/consumer/NAME.

/** {view: 'consumers' | 'hub' | 'consumer', name?: string} */
export function route(hash = location.hash) {
  const [view, ...rest] = hash.replace(/^#\/?/, '').split('/');
  if (view === 'hub') return { view };
  if (view === 'consumer' && rest.length) return { view, name: decoded(rest.join('/')) };
  return { view: 'consumers' };
}

/** The address of a consumer's view. */
export function consumerAddress(name) {
  return `#/consumer/${encodeURIComponent(name)}`;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
