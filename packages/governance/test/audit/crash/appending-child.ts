import { writeSync } from 'node:fs';
import { type AuditEntryBody, openLedger } from '@buddy/governance';

/*
 * A process that appends until it is killed: started with the database's path, a name, and how many agents act at once. Says
 * what was acknowledged, one JSON line for each intent and outcome, and says it at once: what stands in a buffer when
 * the process is killed would be missing from what is checked.
 */

const [, , file = '', name = '', agents = '1'] = process.argv;
const ledger = openLedger({ file, checkpointEntries: 32, busyTimeoutMs: 60_000 });

await Promise.all(Array.from({ length: Number(agents) }, (_, agent) => act(`${name}-${agent}`)));

async function act(id: string): Promise<never> {
  for (let round = 0; ; round += 1) {
    const action = `${id}.${round}`;
    const { seq } = await ledger.write((transaction) => transaction.append(intent(id, action)));
    acknowledge({ seq, kind: 'intent', action });
    const outcome = await ledger.write((transaction) =>
      transaction.append(outcomeOf(id, action, seq)),
    );
    acknowledge({ seq: outcome.seq, kind: 'outcome', action });
  }
}

function acknowledge(what: { seq: number; kind: string; action: string }): void {
  let rest = Buffer.from(`${JSON.stringify(what)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (Reflect.get(Object(error), 'code') !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // the pipe is full: its reader is behind
    }
  }
}

function intent(id: string, action: string): AuditEntryBody {
  return {
    kind: 'intent',
    decision: 'allow',
    runId: null,
    taskId: null,
    actor: { kind: 'agent', id },
    action,
    tier: 2,
    rule: 'writes',
    reasonCode: 'POLICY_ALLOWED',
    rationale: 'Tries how well the log keeps things',
    facts: {},
    argumentsDigest: '',
    approvalId: null,
    policyDigest: '',
  };
}

function outcomeOf(id: string, action: string, intentSeq: number): AuditEntryBody {
  return {
    kind: 'outcome',
    intentSeq,
    runId: null,
    actor: { kind: 'agent', id },
    action,
    tier: 2,
    outcome: 'succeeded',
    errorCode: null,
    durationMs: 1,
    tokens: null,
    cost: null,
    policyDigest: '',
  };
}
