import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt } from './attempt.ts';
import { bombs, escapes, loops } from './attempts/index.ts';
import { bundlePlainHost, CONTROL_MEMORY_MB, runUnsandboxed, HANG_MS } from './control.ts';
import { hostPaths } from './host-paths.ts';
import { judge } from './oracle.ts';
import { layTripwires, type Tripwires } from './tripwires.ts';

const SECRET = 'canary-of-the-plain-host';
const attempts: readonly Attempt[] = [...escapes, ...loops, ...bombs];

describe.concurrent('a host without a sandbox', () => {
  const secret = SECRET;
  const tripwires: Tripwires[] = [];
  let at = 0;
  let plainHost: string;
  beforeAll(async () => {
    plainHost = await bundlePlainHost();
    for (let lane = 0; lane < LANES; lane += 1)
      tripwires.push(await layTripwires(`${SECRET}-file`));
  });
  afterAll(async () => {
    for (const each of tripwires) await each[Symbol.asyncDispose]();
  });

  const breaking = attempts.filter(({ expects }) => expects.breaksThroughUnsandboxed !== false);
  it.each(breaking.map((attempt) => [attempt.family, attempt.name, attempt] as const))(
    'does not withstand (%s) %s',
    async (_family, _name, attempt) => {
      const wires = tripwires[at++ % LANES];
      if (!wires) throw new Error('no tripwires');
      const evidence = await runUnsandboxed(attempt, wires, secret, plainHost);
      const findings = judge(evidence, {
        secrets: [secret, ...hostPaths()],
        maxBlockMs: HANG_MS,
        maxMemoryMb: CONTROL_MEMORY_MB,
      });
      expect({ harms: findings.map(({ harm }) => harm), evidence }).toEqual({
        harms: expect.arrayContaining([attempt.expects.breaksThroughUnsandboxed]),
        evidence: expect.anything(),
      });
    },
    60_000,
  );
});

const LANES = 5;
