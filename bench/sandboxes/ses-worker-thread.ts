import { parentPort } from 'node:worker_threads';
import { lockDown } from './lock-down.ts';
import type { FromWorker, ToWorker } from './ses-worker.ts';

// Started by ses-worker.ts.
const newCompartment = await lockDown();
const waiting = new Map<number, (value: number) => void>();
let last = 0;
// A port of worker_threads, not a window.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const say = (message: FromWorker): void => parentPort?.postMessage(message);
const call = harden((n: unknown) => {
  last += 1;
  say({ type: 'call', id: last, n: Number(n) });
  return new Promise<number>((resolve) => waiting.set(last, resolve));
});
parentPort?.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'run':
      void run(message.expression);
      return;
    case 'answer':
      waiting.get(message.id)?.(message.value);
      waiting.delete(message.id);
      return;
  }
});

async function run(expression: string): Promise<void> {
  try {
    say({ type: 'done', value: await newCompartment({ call }).evaluate(`(${expression})`) });
  } catch (error) {
    say({ type: 'failed', message: String(error) });
  }
}
