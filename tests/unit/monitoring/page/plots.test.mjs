// What uPlot is told: its labels must fit beside and below the graph, or it cuts them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const node = { style: {}, append() {}, remove() {}, getAttribute: () => null, setAttribute() {}, toggleAttribute() {} };
globalThis.document = { createElement: () => ({ ...node }), body: node };
globalThis.getComputedStyle = () => ({ color: 'black' });
const { backlogPlot, ratesPlot } = await import('../../../../monitoring/web/static/js/view/plots.js');

const DIGIT = 7.2;
/* Pixels of a wide digit in the font of the labels, 12px. */

class Plot {
  constructor(options) {
    this.options = options;
  }
}

for (const make of [backlogPlot, ratesPlot]) {
  const { options } = make(Plot, { clientWidth: 350, replaceChildren() {} }, { fine: true, onZoom() {} });
  const [, left] = options.axes;

  test(`the labels of ${make.name} fit at the left, whatever is there`, () => {
    for (const label of ['0', '12.5k', '1234.56k', '1234.25M']) assert.ok(left.size({}, ['0', label]) >= DIGIT * label.length + 10, label);
    assert.ok(left.size({}, null) > 0);
  });

  test(`the last time below ${make.name} is whole`, () => {
    assert.ok(options.padding[1] >= (DIGIT * '14:30:00'.length) / 2);
  });
}
