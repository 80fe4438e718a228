// Text from the bus made safe to show, as hub/text.py does it for a terminal. Pure.

const UNSEEN = /[^\P{C}\n\t]|[\u2028\u2029]/gu;

/** Characters that can't be seen as escapes: one of them, U+202E, has the rest of a line read backwards. */
export function visible(text) {
  return String(text).replace(UNSEEN, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}
