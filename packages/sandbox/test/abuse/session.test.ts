import { spawn } from 'node:child_process';
import type { Spawn } from '@buddy/sandbox';
import { CANARY_VARIABLE } from './attempt.ts';
import { escapes, loops } from './attempts/index.ts';
import { describeLane, LITTLE_TIME, SECRET } from './describe-lane.ts';

describeLane('a sandbox with one process for all runs', {
  attempts: escapes,
  input: { isolation: 'session', limits: { wallMs: 4_000 } },
});

describeLane('a sandbox with one process for all runs, and little time', {
  attempts: loops,
  input: { isolation: 'session', limits: LITTLE_TIME },
});

/** The child's program with no flag, no limit, no namespace, and an environment worth stealing. */
const unprotected: Spawn = (_command, args) =>
  spawn(process.execPath, args.slice(-1), {
    env: { [CANARY_VARIABLE]: SECRET },
    stdio: ['pipe', 'pipe', 'pipe'],
  });

describeLane('the gate and the compartment alone, in a process with every power', {
  attempts: escapes,
  input: { isolation: 'session', limits: { wallMs: 4_000 } },
  spawnAs: unprotected,
});
