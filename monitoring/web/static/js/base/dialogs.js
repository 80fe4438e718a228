// Dialogs. A <dialog> keeps the focus inside, returns it to the element that opened it, and closes on Escape.

import { el, setText } from './dom.js';

let titles = 0;
let fields = 0;

/**
 * Open a dialog. `content` are nodes; `buttons` are placed below. `closed` resolves with the argument of `close`, or with
 * null when the dialog was dismissed.
 * @returns {{node: HTMLDialogElement, form: HTMLFormElement, close: function(any): void, closed: Promise<any>}}
 */
export function open(title, content, buttons) {
  titles += 1;
  const heading = el('h2', { id: `dialog-${titles}` }, title);
  const form = el('form', { method: 'dialog' }, heading, ...content, el('div', { class: 'buttons' }, ...buttons));
  const node = el('dialog', { 'aria-labelledby': heading.id }, form);
  let answer = null;
  const close = (value) => {
    answer = value;
    node.close();
  };
  const closed = new Promise((resolve) => {
    node.addEventListener('close', () => {
      node.remove();
      resolve(answer);
    });
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  document.body.append(node);
  node.showModal();
  return { node, form, close, closed };
}

/**
 * Ask for a confirmation, or for the input in `content`.
 * @param check called with the form's data; returns the answer, or throws an error, which is shown in the dialog.
 * @returns the answer, or null.
 */
export async function ask({ title, content = [], confirm, danger = false, check = () => true }) {
  const problem = el('p', { class: 'problem', role: 'alert' });
  const yes = el('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, confirm);
  const no = el('button', { type: 'button', autofocus: danger }, 'Cancel');
  const dialog = open(title, [...content, problem], [no, yes]);
  no.addEventListener('click', () => dialog.close(null));
  dialog.form.addEventListener('submit', () => {
    try {
      dialog.close(check(new FormData(dialog.form)));
    } catch (error) {
      setText(problem, error.message);
    }
  });
  return dialog.closed;
}

/** A labelled input, select or textarea, with a line of help. */
export function field(label, input, help = '') {
  fields += 1;
  const small = help && el('small', { id: `field-${fields}` }, help);
  if (small) input.setAttribute('aria-describedby', small.id);
  return el('div', { class: 'field' }, el('label', {}, el('span', { class: 'label' }, label), input), small || null);
}
