// Text from the address bar. Pure.

/** A part of an address without its escapes; as it is, if they are wrong. */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
