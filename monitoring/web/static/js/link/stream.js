// The hub's status, once a second. Not by EventSource, which can't send the token: with it the status has all that it
// has, without it the numbers alone.

import { notice } from '../base/notices.js';
import { Events } from '../model/events.js';
import { asked } from './api.js';
import { setToken, token } from './token.js';

/** Each status as it comes; null where something came that is no whole one yet. Ends, or throws, when the line is cut. */
export async function* statuses(signal) {
  const sent = token();
  const found = await asked('events', { signal }, sent);
  if (found.status === 401 && sent && sent === token()) {
    setToken(null);
    notice('The hub does not take the token.', 'bad');
  }
  if (!found.ok) throw new Error(`The hub answered ${found.status}.`);
  const events = new Events();
  const reader = found.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const whole = events.feed(value);
    if (whole.length === 0) yield null;
    yield* whole;
  }
}
