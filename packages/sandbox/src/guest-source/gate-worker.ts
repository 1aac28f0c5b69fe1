// oxlint-disable unicorn/require-post-message-target-origin -- a thread, not a window
import { parentPort } from 'node:worker_threads';
import type { GateAnswer, GateRequest } from './gate-messages.ts';
import { prepareGuestSource } from './prepare-guest-source.ts';
import { type StripOutcome, stripTypes } from './strip-types.ts';

// The program of the thread that `GateThread` starts.
parentPort?.on('message', (request: GateRequest) => {
  parentPort?.postMessage(answerTo(request));
});
parentPort?.postMessage({ kind: 'started' } satisfies GateAnswer);

function answerTo({ text, options }: GateRequest): GateAnswer {
  let isSpent = false;
  const strip = (code: string): StripOutcome => {
    const outcome = stripTypes(code);
    if (outcome.kind === 'broken') isSpent = true;
    return outcome;
  };
  return { kind: 'prepared', source: prepareGuestSource(text, options, strip), isSpent };
}
