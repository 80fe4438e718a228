// The token in the address, and what is not shown without it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FORM, codeIn, tokenIn } from '../../../../monitoring/web/static/js/model/token.js';
import { errorWithheld, messagesWithheld } from '../../../../monitoring/web/static/js/model/withheld.js';

const BASE64 = 'q/8+Zm9v~.-_YmFyYmF6cXV4Zm9vYmFyYmF6cXV4==';

test('the code of a link is taken from the address', () => {
  const code = `1795224384.${'a'.repeat(22)}.${'b'.repeat(43)}`;
  assert.equal(codeIn(`#code=${code}`), code);
  assert.equal(codeIn('#code=short'), '');
  for (const hash of ['', '#/', `#token=${code}`, `#codes=${code}`]) assert.equal(codeIn(hash), null);
});

test('whatever the hub takes for a token is taken from the address', () => {
  assert.equal(tokenIn(`#token=${BASE64}`), BASE64);
  assert.equal(tokenIn(`#token=${encodeURIComponent(BASE64)}`), BASE64);
  assert.equal(tokenIn(`#token=${'a'.repeat(43)}`), 'a'.repeat(43));
});

test('what is no token is none, and yet known for an attempt at one', () => {
  for (const text of ['', 'short', 'a'.repeat(513), `${'a'.repeat(40)} b`, '%ff'.repeat(20), 'é'.repeat(40)]) assert.equal(tokenIn(`#token=${text}`), '');
  for (const hash of ['', '#/', '#/consumer/token=x', `#tokens=${'a'.repeat(43)}`]) assert.equal(tokenIn(hash), null);
  assert.equal(FORM.test(`${'a'.repeat(40)}\n`), false);
});

test('an error is withheld where only its kind is told', () => {
  const last = { error: 'KeyError', text: null };
  assert.equal(errorWithheld({ last_error: null, error: null }), false);
  assert.equal(errorWithheld({ last_error: last, error: null }), true);
  assert.equal(errorWithheld({ last_error: { ...last, text: '' }, error: null }), false);
  assert.equal(errorWithheld({ last_error: null, error: 'OSError' }), true);
  assert.equal(errorWithheld({ last_error: null, error: 'OSError: no database' }), false);
});

test('a message is withheld where a thread is busy with one that is not told', () => {
  const idle = { seconds: null, message_id: null };
  assert.equal(messagesWithheld([idle]), false);
  assert.equal(messagesWithheld([idle, { seconds: 0.1, message_id: '1' }]), false);
  assert.equal(messagesWithheld([idle, { seconds: 0.1, message_id: null }]), true);
});
