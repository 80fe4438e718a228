// Asks the hub: its verbs under api/, its history and spikes beside them.

import { Lines } from '../model/lines.js';
import { askForToken, setToken, token } from './token.js';

/** The hub was reached and said no; the message is its reason. */
export class Refused extends Error {
  constructor(code, problems) {
    super(problems.join('\n') || `The hub answered ${code}.`);
    this.code = code;
  }
}

/** The reader did not want to after all. */
export class Cancelled extends Error {}

let onReadOnly = () => {};

/** Called with the reason when the hub says that nothing can be changed here. */
export function whenReadOnly(listener) {
  onReadOnly = listener;
}

export const get = (path) => answer(path, {});
export const post = (path, content = {}) => answer(path, { method: 'POST', body: JSON.stringify(content) });

/** A name in a path. */
export const named = (verb, name) => `${verb}/${encodeURIComponent(name)}`;

async function answer(path, options) {
  return (await response(path, options)).json();
}

/** POST, and each JSON object of the answer as it comes. `signal` hangs up. */
export async function* postLines(path, content, signal) {
  const found = await response(path, { method: 'POST', body: JSON.stringify(content), signal });
  const lines = new Lines();
  const reader = found.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield* lines.feed(value);
  }
}

async function response(path, options) {
  for (;;) {
    const sent = token();
    const found = await asked(path, options, sent);
    if (found.ok) return found;
    if (found.status !== 401) throw await refusal(found, options);
    if (sent && sent === token()) setToken(null);
    if (!token() && !(await askForToken(Boolean(sent)))) throw new Cancelled('No token was entered.');
  }
}

/** The answer, whatever it is, to what is asked with the token `sent`, or without. */
export async function asked(path, options, sent) {
  const headers = { Accept: 'application/json' };
  // Not in Authorization: the browser puts the password there that a reverse proxy has asked for.
  if (sent) headers['X-Hubbub-Token'] = sent;
  if (options.body) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(path, { ...options, headers, cache: 'no-store', credentials: 'same-origin' });
  } catch (error) {
    if (error.name === 'AbortError') throw new Cancelled('Stopped.');
    throw new Error('The hub does not answer.');
  }
}

async function refusal(found, { method }) {
  let problems = [];
  try {
    problems = (await found.json()).problems ?? [];
  } catch {
    // Not of the hub: a proxy's page. The code says enough.
  }
  const error = new Refused(found.status, problems);
  if (found.status === 403 && method === 'POST') onReadOnly(error.message);
  return error;
}
