import type { SandboxInput, Spawn } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Attempt, CANARY_VARIABLE } from './attempt.ts';
import { hostPaths } from './host-paths.ts';
import { type OpenLane, openLane } from './open-lane.ts';
import { complaintsAbout, runSandboxed } from './sandbox-lane.ts';

export interface LaneOptions {
  readonly attempts: readonly Attempt[];
  readonly input: SandboxInput;
  readonly spawnAs?: Spawn;
  /** Whether more than one attempt is made at a time. */
  readonly isConcurrent?: boolean;
  /** Memory that a process of the sandbox may have held. */
  readonly maxMemoryMb?: number;
}

/** A secret that is in the environment, in a variable and in a file of the host, and must be in nothing else. */
export const SECRET = 'canary-8c1f27d0';
/** Processor time, for that does not depend on what else the machine does; the other is for what only waits. */
export const LITTLE_TIME = { cpuMs: 150, wallMs: 1_000, memoryMb: 256 } as const;
/** Far beyond what is promised: a machine may do other things as well. */
const MAX_BLOCK_MS = 1_000;

/** One test for each attempt: it is handed to a sandbox, and the oracle must find no harm. */
export function describeLane(title: string, options: LaneOptions): void {
  const {
    attempts,
    input,
    spawnAs,
    isConcurrent = false,
    maxMemoryMb = Number.POSITIVE_INFINITY,
  } = options;
  // oxlint-disable-next-line vitest/valid-title -- each lane brings its own
  describe(title, { concurrent: isConcurrent }, () => {
    let lane: OpenLane;
    beforeAll(async () => {
      process.env[CANARY_VARIABLE] = SECRET;
      lane = await openLane(SECRET, input, spawnAs);
    });
    afterAll(async () => {
      await lane[Symbol.asyncDispose]();
      Reflect.deleteProperty(process.env, CANARY_VARIABLE);
    });

    it.each(attempts.map((attempt) => [attempt.family, attempt.name, attempt] as const))(
      'withstands (%s) %s',
      async (_family, _name, attempt) => {
        const tried = await runSandboxed(attempt, lane);
        const bounds = {
          secrets: [SECRET, ...hostPaths()],
          maxBlockMs: MAX_BLOCK_MS,
          maxMemoryMb,
        };
        expect(complaintsAbout(attempt, tried, bounds)).toEqual([]);
      },
      60_000,
    );
    it('was reached by nothing in all that time', () => {
      expect(lane.tripwires.connections).toBe(0);
    });
  });
}
