import { writeSync } from 'node:fs';
import { ManualClock } from '@buddy/core';
import {
  type ApprovalRequest,
  APPROVALS_MIGRATIONS,
  createApprovals,
  openLedger,
} from '@buddy/governance';

/*
 * A process that uses an approval and says so: `granted`, or the code of why not. Then, as the second argument says, it ends
 * (`end`), or waits to be killed: inside the transaction before it is committed (`before`), or after (`after`) and before
 * it does what was approved, which it would say by `done`.
 */

const [, , file = '', mode = '', requestText = '{}', secret = ''] = process.argv;
const clock = new ManualClock(); // it stands where that of the test does
const ledger = openLedger(
  { file, busyTimeoutMs: 60_000 },
  { clock, migrations: APPROVALS_MIGRATIONS },
);
const approvals = createApprovals({}, { ledger, clock, secret: Buffer.from(secret, 'hex') });
// Made by the test that started it.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const request = JSON.parse(requestText) as ApprovalRequest;

try {
  const { approvalId } = await ledger.write((transaction) => {
    const used = approvals.consume(transaction, {
      idempotencyKey: request.idempotencyKey,
      bindingDigest: approvals.bindingOf(request),
    });
    if (mode === 'before') {
      say('consuming');
      waitForever();
    }
    return used;
  });
  say('granted', approvalId);
  if (mode === 'after') waitForever();
  say('done');
} catch (error) {
  say(String(Reflect.get(Object(error), 'code')));
}
await ledger.close();

function say(...words: string[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

/** Blocks the process with its transaction open, as a crash finds it. */
function waitForever(): never {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
}
