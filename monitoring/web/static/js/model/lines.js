// A stream of JSON objects, one a line, that comes in pieces. Pure.

export class Lines {
  constructor() {
    this.rest = '';
  }

  /** The objects that are whole by now. */
  feed(text) {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop();
    return lines.filter((line) => line.trim()).map((line) => JSON.parse(line));
  }
}
