import type { RunResult } from '../run/result.ts';
import type { Check } from './doctor.ts';

export interface Runner {
  run(code: string): Promise<RunResult>;
}

interface Expectation {
  layer: string;
  name: string;
  code: string;
  holds: (result: RunResult) => boolean;
}

const STILL_RUNS: Pick<Expectation, 'code' | 'holds'> = {
  code: '6 * 7',
  holds: (it) => it.status === 'ok' && it.value === 42,
};

const EXPECTATIONS: readonly Expectation[] = [
  { layer: 'compartment', name: 'run a program', ...STILL_RUNS },
  {
    layer: 'compartment',
    name: 'reach the network',
    code: 'fetch("http://127.0.0.1")',
    holds: (it) => it.status === 'violation' && it.violation.type === 'NETWORK_ACCESS_ATTEMPT',
  },
  {
    layer: 'compartment',
    name: 'reach the process',
    // Plain text, were there one: the process itself could not be handed out, and would look like a failure.
    code: 'typeof (() => {}).constructor("return process")().pid',
    holds: (it) =>
      it.status === 'violation' || (it.status === 'error' && it.error.kind === 'runtime'),
  },
  {
    layer: 'source gate',
    name: 'import a module of Node',
    code: 'import fs from "node:fs"',
    holds: (it) => it.status === 'violation' && it.violation.type === 'FILESYSTEM_ATTEMPT',
  },
  {
    layer: 'limits',
    name: 'loop for ever',
    code: 'for (;;) {}',
    holds: (it) => it.status === 'limit' && (it.limit.kind === 'cpu' || it.limit.kind === 'wall'),
  },
  {
    layer: 'limits',
    name: 'fill the memory',
    code: 'const all = []; for (;;) all.push(new Uint8Array(4e6).fill(1))',
    holds: (it) => it.status === 'limit' && it.limit.kind === 'memory',
  },
  { layer: 'limits', name: 'run after all that', ...STILL_RUNS },
];

export async function checkRuns(sandbox: Runner): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { layer, name, code, holds } of EXPECTATIONS) {
    const result = await sandbox.run(code);
    checks.push({ layer, name, isHeld: holds(result), details: detailsOf(result) });
  }
  return checks;
}

function detailsOf(result: RunResult): string {
  switch (result.status) {
    case 'ok':
    case 'paused':
      return result.status;
    case 'violation':
      return `violation ${result.violation.type}`;
    case 'limit':
      return `limit ${result.limit.kind}`;
    case 'error':
      return `error ${result.error.name}`;
  }
}
