// From what is entered in a form to what the hub's verbs take. Pure.

import { inputMoment } from './moment.js';

/** The body of POST /replay. Throws an Error that says what to correct. */
export function replayOrder(consumer, form, dryRun) {
  const since = inputMoment(form.get('since'));
  const until = inputMoment(form.get('until'));
  if (since === null || until === null) throw new Error('Enter from when and until when.');
  if (until <= since) throw new Error('The end is not after the beginning.');
  return { consumer, since, until, topics: topics(form.get('topics') ?? ''), dry_run: dryRun };
}

/** Patterns, apart by spaces or commas. */
export function topics(text) {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** The body of POST /pause: `choice` is 'resumed', a number of seconds, or 'time' with the moment entered. */
export function pauseOrder(consumer, choice, entered, now) {
  if (choice === 'resumed') return { consumer };
  if (choice !== 'time') return { consumer, until: now + Number(choice) };
  const until = inputMoment(entered);
  if (until === null) throw new Error('Enter until when.');
  if (until <= now) throw new Error('That time has passed.');
  return { consumer, until };
}

/** The body of POST /publish. Throws an Error that says what to correct. */
export function publishOrder(topic, body, backend) {
  if (!topic.trim()) throw new Error('Enter a topic.');
  let content;
  try {
    content = JSON.parse(body);
  } catch (error) {
    throw new Error(`The body is not JSON: ${error.message}`);
  }
  return backend ? { topic: topic.trim(), body: content, backend } : { topic: topic.trim(), body: content };
}
