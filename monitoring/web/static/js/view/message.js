// Dialog of a whole message or dead letter. Headers, body and traceback are shown as text.

import { el } from '../base/dom.js';
import { open } from '../base/dialogs.js';
import { readable } from '../model/letters.js';
import { stamp } from '../model/moment.js';

/** Show a message in a dialog, with `buttons` beside 'Close'. */
export function showMessage(title, message, buttons = []) {
  const facts = [
    ['Topic', message.topic],
    ['Id', message.id],
    ['Received', stamp(message.received_at)],
    message.buried_at && ['Buried', stamp(message.buried_at)],
    ['Attempts', String(message.attempts ?? 0)],
    message.reason && ['Reason', message.reason],
    message.error && ['Error', message.error],
    ...Object.entries(message.headers ?? {}).map(([name, value]) => [`Header ${name}`, String(value)]),
  ].filter(Boolean);
  const list = el('dl', { class: 'pairs' }, ...facts.map(([term, text]) => el('div', {}, el('dt', {}, term), el('dd', {}, text))));
  const close = el('button', { type: 'button', class: 'primary', autofocus: true }, 'Close');
  const content = [list, el('h3', {}, 'Body'), text('Body', readable(message.body))];
  if (message.traceback) content.push(el('h3', {}, 'Traceback'), text('Traceback', message.traceback));
  const dialog = open(title, content, [...buttons, close]);
  dialog.node.classList.add('broad');
  close.addEventListener('click', () => dialog.close(null));
  return dialog;
}

function text(label, content) {
  return el('pre', { tabindex: 0, 'aria-label': label }, content);
}
