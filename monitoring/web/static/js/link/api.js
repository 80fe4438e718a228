// Requests to the hub: its verbs under api/, its history and spikes beside them.

import { Lines, objects } from '../model/lines.js';
import { askForToken, setToken, token } from './token.js';

/** Refusal by the hub; the message is its reason. */
export class Refused extends Error {
  constructor(code, problems) {
    super(problems.join('\n') || `The hub answered ${code}.`);
    this.code = code;
  }
}

/** Cancellation by the user. */
export class Cancelled extends Error {}

/** Whether an error is the hub's own answer, so that asking again would not help. */
export const isAnswer = (error) => error instanceof Cancelled || (error instanceof Refused && error.code < 500);

let onReadOnly = () => {};

/** Set the listener that is called with the reason when the hub refuses all actions. */
export function whenReadOnly(listener) {
  onReadOnly = listener;
}

/** How long what the page begins with may take. */
export const LOAD_MS = 10_000;

/** Request a document. `limit`: milliseconds after which it is given up; none: the browser decides. */
export const get = (path, limit = 0) => answer(path, limit ? { signal: AbortSignal.timeout(limit) } : {});
export const post = (path, content = {}) => answer(path, { method: 'POST', body: JSON.stringify(content) });

/** Path of a verb with a name. */
export const named = (verb, name) => `${verb}/${encodeURIComponent(name)}`;

async function answer(path, options) {
  return (await response(path, options)).json();
}

/** POST, and yield each JSON object of the answer as it arrives. `signal` closes the connection. */
export async function* postLines(path, content, signal) {
  const found = await response(path, { method: 'POST', body: JSON.stringify(content), signal });
  const lines = new Lines();
  const reader = found.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield* objects(lines.feed(value));
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

/** Fetch with the token `sent`, or without; returns the response of any status. */
export async function asked(path, options, sent) {
  const headers = { Accept: 'application/json' };
  // Not in Authorization, where the browser puts the password for a reverse proxy.
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
    // The answer is a proxy's page, not the hub's: the status code is enough.
  }
  const error = new Refused(found.status, problems);
  if (found.status === 403 && method === 'POST') onReadOnly(error.message);
  return error;
}
