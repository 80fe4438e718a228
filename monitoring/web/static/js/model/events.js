// Server-sent events, as they come in pieces. Of each only its data is of interest, which is one line of JSON. Pure.

const DATA = 'data: ';

export class Events {
  constructor() {
    this.rest = '';
  }

  /** What the lines hold that are whole by now. */
  feed(text) {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop();
    return lines.filter((line) => line.startsWith(DATA)).map((line) => JSON.parse(line.slice(DATA.length)));
  }
}
