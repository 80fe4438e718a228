// Parts without a view of their own are listed, whatever their kind.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parts } from '../../../../monitoring/web/static/js/model/parts.js';

test('exporters and servers come first, then the parts of other kinds', () => {
  const snapshot = {
    hub: { name: 'hubbub' },
    backends: { bus: { state: 'connected' } },
    lamps: { one: { state: 'lit' }, two: { state: 'failed' } },
    consumers: { mail: {} },
    exporters: { statsd: { exported: 1 } },
    servers: { web: {} },
  };
  assert.deepEqual(
    parts(snapshot).map(({ name, noun, section }) => `${name} (${noun}) of ${section}`),
    ['statsd (exporter) of exporters', 'web (server) of servers', 'one (lamp) of lamps', 'two (lamp) of lamps'],
  );
  assert.deepEqual(parts(snapshot)[3].row, { state: 'failed' });
});

test('a hub may have none, and a section of another shape has no parts', () => {
  assert.deepEqual(parts({ hub: {}, backends: {}, consumers: {} }), []);
  assert.deepEqual(parts({ hub: {}, release: '2', lamps: { one: null }, notes: null }), []);
});
