import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { recoverFaults } from './recover-faults.ts';

// The program that `Watchdog` starts: it takes faults back when their process cannot.

const LOOK_EVERY_MS = 1_000;
/** A process that lives takes its faults back in time, unless its event loop stands still. */
const OVERDUE_MS = 2_000;
/** The kernel closes what a process had open one by one: its locks may still seem to be held when our pipe has ended. */
const DYING_MS = 5_000;
const DYING_LOOK_EVERY_MS = 50;

const [folder = ''] = process.argv.slice(2);
const ended = new AbortController();
process.stdin.once('close', () => ended.abort());
process.stdin.resume();

while (!ended.signal.aborted) {
  await recoverFaults({ folder, overdueMs: OVERDUE_MS });
  await sleep(LOOK_EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined); // it has ended
}
for (let waited = 0; waited < DYING_MS; waited += DYING_LOOK_EVERY_MS) {
  const recovered = await recoverFaults({ folder });
  if (recovered.every(({ is }) => is !== 'active')) break;
  await sleep(DYING_LOOK_EVERY_MS);
}
