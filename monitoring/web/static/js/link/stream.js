// Stream of the hub's status, once a second. It does not use EventSource, which can't send the token: with the token the
// status is complete, without it it has only the numbers.

import { notice } from '../base/notices.js';
import { events, Lines } from '../model/lines.js';
import { asked } from './api.js';
import { setToken, token } from './token.js';

/** Yield each status; null for a piece that completes none. Ends, or throws, when the connection is lost. */
export async function* statuses(signal) {
  const sent = token();
  const found = await asked('events', { signal }, sent);
  if (found.status === 401 && sent && sent === token()) {
    setToken(null);
    notice('The hub does not accept the token.', 'bad');
  }
  if (!found.ok) throw new Error(`The hub answered ${found.status}.`);
  const lines = new Lines();
  const reader = found.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const whole = events(lines.feed(value));
    if (whole.length === 0) yield null;
    yield* whole;
  }
}
