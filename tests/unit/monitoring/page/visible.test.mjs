// What can't be seen is shown as an escape.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visible } from '../../../../monitoring/web/static/js/model/visible.js';

test('a character that turns the reading order around is an escape', () => {
  assert.equal(visible('invoice\u202efdp.exe'), 'invoice\\u202efdp.exe');
  for (const one of ['\u2066', '\u200f', '\u200b', '\ufeff', '\u0000', '\u001b', '\u0085', '\u2028', '\ud800', '\u{e0041}']) {
    assert.match(visible(`a${one}b`), /^a\\[uU][0-9a-f]+b$/);
  }
});

test('letters of all scripts, symbols, line breaks and tabs stay', () => {
  for (const text of ['org.example.a', 'žluťoučký', 'שלום', 'مرحبا', '日本語', '🙂', 'a\n\tb', '']) assert.equal(visible(text), text);
});

test('what is no text is made one', () => {
  assert.equal(visible(5), '5');
});
