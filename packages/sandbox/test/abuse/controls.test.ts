import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt } from './attempt.ts';
import { bombs, escapes, loops } from './attempts/index.ts';
import { bundlePlainHost, CONTROL_MEMORY_MB, runUnsandboxed, HANG_MS } from './control.ts';
import { hostPaths } from './host-paths.ts';
import { judge } from './oracle.ts';
import { layTripwires, type Tripwires } from './tripwires.ts';

const SECRET = 'canary-of-the-plain-host';
const attempts: readonly Attempt[] = [...escapes, ...loops, ...bombs];
// Whether an attempt breaks a plain host changes with the attempt and with Node, not with the sandbox: all of them at night.
const isEveryOne = process.env['BUDDY_CONTROLS'] === 'all';
const SAMPLE_OF = 4;

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

  const breaking = attempts
    .filter(({ expects }) => expects.breaksThroughUnsandboxed !== false)
    .filter((_, index) => isEveryOne || index % SAMPLE_OF === 0);
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
      const harms = findings.map(({ harm }) => harm);
      const wanted = attempt.expects.breaksThroughUnsandboxed;
      const isExhausted = EXHAUSTION.some((harm) => harm === wanted);
      // Which of them comes first is a matter of the machine's speed and of V8's version.
      const accepted = isExhausted ? EXHAUSTION : [wanted];
      expect({ wanted, harms, evidence }).toSatisfy(() =>
        accepted.some((harm) => harms.some((found) => found === harm)),
      );
    },
    60_000,
  );
});

/** A host that is exhausted: it hangs, grows, dies, or says where it was when it could not go on. */
const EXHAUSTION = ['hang', 'memory', 'death', 'leak'];
const LANES = 5;
