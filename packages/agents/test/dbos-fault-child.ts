import process from 'node:process';
import { createDbosEngine } from '@buddy/agents/dbos';
import { createKillSwitch, driveFaults, faultRegistration } from '@buddy/agents/testing';
import { countingId } from '@buddy/core';
import { passStatements } from './dbos-kill-points.ts';

/*
 * A process that takes its part, or what of it is asked for (`workflows`, `calls`), and is killed at a point such as
 * `recorded:2:before`. With a number of children it drives the fault scenario to its end; else it goes on until it is ended.
 */

const [, , databaseUrl = '', folder = '', point = '', takes = '', children = ''] = process.argv;
const killSwitch = createKillSwitch(point);
passStatements(killSwitch);
const engine = createDbosEngine(
  {
    databaseUrl,
    ...(takes === 'workflows' || takes === 'calls' ? { takes: [takes] } : {}),
    pollMs: 20,
    sweepEveryMs: 100,
    deadAfterMs: 200,
    lookAgainMs: 1_000,
    poisonAfter: 1_000, // it is the test that kills, not a call, and more often than any call would be forgiven
  },
  { newId: countingId(`worker-${process.pid}`) },
);
engine.register(faultRegistration({ folder, killSwitch }));
await engine.open();
killSwitch.pass('opened', 'after');
if (children !== '') {
  await driveFaults(engine, Number(children), { folder });
  await engine.close();
}
