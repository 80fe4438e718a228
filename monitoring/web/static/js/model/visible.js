// Visible text: makes text from the bus safe to show, as hub/text.py does for a terminal. Pure.

const UNSEEN = /[^\P{C}\n\t]|[\u2028\u2029]/gu;

/** Replace invisible characters with escapes: one of them, U+202E, reverses the rest of a line. */
export function visible(text) {
  return String(text).replace(UNSEEN, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}
