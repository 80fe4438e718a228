// What a consumer is, and all that has become of its messages.

import { bytes, count } from '../model/number.js';
import { duration } from '../model/duration.js';
import { card, Pairs } from './card.js';

export class Facts {
  constructor() {
    const { node, body } = card('All numbers');
    this.node = node;
    node.classList.add('facts');
    this.pairs = new Pairs();
    body.append(this.pairs.node);
  }

  update(row) {
    const ages = row.age_at_finish ?? {};
    const lost = Object.entries(row.dropped_by ?? {}).filter(([, number]) => number > 0);
    this.pairs.show([
      ['Type', row.type ?? 'none: no consumer has this queue'],
      ['Class', row.class ?? '–'],
      ['Topics', (row.topics ?? []).join('  ') || '–'],
      ['Kept on disk', row.durable ? 'yes' : 'no: gone with the hub'],
      ['Received', `${count(row.received)}, ${bytes(row.received_bytes)}`],
      ['Finished', count(row.finished)],
      ['Failed attempts', count(row.failed), row.failed ? 'warn' : null],
      ['Tried again', count(row.retried)],
      ['Dead letters', count(row.dead_letters), row.dead_letters ? 'warn' : null],
      ['Dead letters, ever', count(row.dead)],
      ['Dead letters lost', count(row.dead_lost), row.dead_lost ? 'bad' : null],
      ['Lost', lost.length ? `${count(row.dropped)}: ${lost.map(([cause, n]) => `${count(n)} ${cause}`).join(', ')}` : count(row.dropped), row.dropped ? 'warn' : null],
      ['Age at finish', `p50 ${duration(ages.p50)}, p95 ${duration(ages.p95)}, p99 ${duration(ages.p99)}`],
      ['Threads replaced', count(row.threads_replaced), row.threads_replaced ? 'warn' : null],
      ['Failed ticks', count(row.tick_failures), row.tick_failures ? 'warn' : null],
    ]);
  }
}
