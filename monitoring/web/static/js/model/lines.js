// Lines of a text that arrives in pieces. Pure.

export class Lines {
  constructor() {
    this.rest = '';
  }

  /** Add a piece, and return all lines that are complete now. */
  feed(text) {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop();
    return lines;
  }
}

/** Objects of JSON lines, one in each. */
export function objects(lines) {
  return lines.filter((line) => line.trim()).map((line) => JSON.parse(line));
}

const DATA = 'data: ';

/** Data of server-sent events: one line of JSON in each; their other lines are not used. */
export function events(lines) {
  return lines.filter((line) => line.startsWith(DATA)).map((line) => JSON.parse(line.slice(DATA.length)));
}
