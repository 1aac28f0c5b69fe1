import process from 'node:process';
import { createDbosEngine } from '@buddy/agents/dbos';
import { countingId } from '@buddy/core';
import { faultRegistration } from '@buddy/agents/testing';

/* One of many processes over a database; it takes its part until it is ended from outside. */

const [, , databaseUrl = '', folder = '', callMs = '4'] = process.argv;
const engine = createDbosEngine(
  {
    databaseUrl,
    pollMs: 20,
    sweepEveryMs: 200,
    deadAfterMs: 500,
    lookAgainMs: 1_000,
    poisonAfter: 1_000, // it is the test that kills, not a call, and more often than any call would be forgiven
  },
  { newId: countingId(`worker-${process.pid}`) },
);
engine.register(faultRegistration({ folder, callMs: Number(callMs) }));
await engine.open();
process.stdout.write('open\n');
process.once('SIGTERM', () => void engine.close());
