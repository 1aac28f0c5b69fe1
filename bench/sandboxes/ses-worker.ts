import { Worker } from 'node:worker_threads';
import type { OpenOptions, SandboxContender } from './contender.ts';

/** What the worker and its host say to each other. */
export type ToWorker =
  | { type: 'run'; expression: string }
  | { type: 'answer'; id: number; value: number };
export type FromWorker =
  | { type: 'call'; id: number; n: number }
  | { type: 'done'; value: unknown }
  | { type: 'failed'; message: string };

export const sesInWorker: SandboxContender = {
  name: 'SES in a worker',
  open: async (options) => {
    const shared = options.kind === 'again' ? startWorker(options) : undefined;
    return {
      run: async (expression) => {
        const worker = shared ?? startWorker(options);
        try {
          return await converse(worker, expression, options);
        } finally {
          if (!shared) void worker.terminate();
        }
      },
      close: async () => void (await shared?.terminate()),
    };
  },
};

function startWorker({ memoryMb }: OpenOptions): Worker {
  return new Worker(new URL('./ses-worker-thread.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    stdout: true,
    stderr: true,
  });
}

async function converse(
  worker: Worker,
  expression: string,
  { timeoutMs, call }: OpenOptions,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const hear = (message: FromWorker): void => {
    switch (message.type) {
      case 'call':
        void call(message.n).then((value) =>
          tell(worker, { type: 'answer', id: message.id, value }),
        );
        return;
      case 'done':
        resolve(message.value);
        return;
      case 'failed':
        reject(new Error(message.message));
        return;
    }
  };
  const timer = setTimeout(() => {
    reject(new Error('timed out'));
    void worker.terminate();
  }, timeoutMs);
  worker.on('message', hear).once('error', reject);
  tell(worker, { type: 'run', expression });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.off('message', hear).off('error', reject);
  }
}

function tell(worker: Worker, message: ToWorker): void {
  // A thread, not a window.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  worker.postMessage(message);
}
