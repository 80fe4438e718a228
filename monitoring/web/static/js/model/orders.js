// Orders for the hub's verbs, made from the fields of forms. Pure.

import { inputMoment } from './moment.js';

/** Body of POST /replay. Throws an Error that says what to correct. */
export function replayOrder(consumer, form, dryRun) {
  const since = inputMoment(form.get('since'));
  const until = inputMoment(form.get('until'));
  if (since === null || until === null) throw new Error('Enter the begin and the end.');
  if (until <= since) throw new Error('The end must be after the beginning.');
  return { consumer, since, until, topics: topics(form.get('topics') ?? ''), dry_run: dryRun };
}

/** Split patterns at spaces or commas. */
export function topics(text) {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** Body of POST /pause: `choice` is 'resumed', a number of seconds, or 'time' with the moment entered. */
export function pauseOrder(consumer, choice, entered, now) {
  if (choice === 'resumed') return { consumer };
  if (choice !== 'time') return { consumer, until: now + Number(choice) };
  const until = inputMoment(entered);
  if (until === null) throw new Error('Enter the end of the pause.');
  if (until <= now) throw new Error('The end of the pause must be in the future.');
  return { consumer, until };
}

/** Body of POST /publish. Throws an Error that says what to correct. */
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
