import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteQueue } from '@buddy/guardian';

// A worker of a queue in an SQLite file; it cannot do a job that is called poison.
const queue = openSqliteQueue({ file: process.env['QUEUE'] ?? '', leaseMs: 500 });
for (;;) {
  const job = queue.claim();
  if (job?.payload === 'poison') queue.fail(job.id, 'this cannot be done');
  else if (job) queue.complete(job.id);
  await sleep(10);
}
