import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxInput, Spawn } from '@buddy/sandbox';
import { type Attempt, CANARY_VARIABLE } from './attempt.ts';
import { breach } from './attempts/breach.ts';
import { BREACH_HEAD, breached, unguarded } from './breach-child.ts';
import { SECRET } from './describe-lane.ts';
import { hostPaths } from './host-paths.ts';
import { type Bounds, judge } from './oracle.ts';
import { openLane } from './open-lane.ts';
import { complaintsAbout, runSandboxed, type Tried } from './sandbox-lane.ts';

const WALL_MS = 600;
const MEMORY_MB = 64;
const BOUNDS: Bounds = {
  secrets: [SECRET, ...hostPaths()],
  maxBlockMs: 1_000,
  maxMemoryMb: MEMORY_MB + 256,
};

beforeAll(() => {
  process.env[CANARY_VARIABLE] = SECRET;
});
afterAll(() => {
  Reflect.deleteProperty(process.env, CANARY_VARIABLE);
});

describe.concurrent('code in the place of the child, with its very command', () => {
  it.each(named(breach))(
    'does no harm: %s',
    async (_name, attempt) => {
      const tried = await tryInPlace(attempt, {}, breached);
      expect(complaintsAbout(attempt, tried, BOUNDS)).toEqual([]);
      expect(tried.result).not.toHaveProperty('value.secretFile'); // as it has when the real child ran
    },
    60_000,
  );
});

// Without namespaces, nothing but Node's permissions keeps the child from the network and from its parent.
const alone = breach.filter(({ code }) =>
  /net|http|dgram|dns|fetch|Socket|_debugProcess/.test(code),
);

describe.concurrent('the same, without namespaces', () => {
  it.each(named(alone))(
    'does no harm: %s',
    async (_name, attempt) => {
      const tried = await tryInPlace(attempt, { osIsolation: 'off' }, breached);
      expect(complaintsAbout(attempt, tried, BOUNDS)).toEqual([]);
    },
    60_000,
  );
});

describe.concurrent('the same code in a process with no flag, limit or namespace', () => {
  const breaking = breach.filter(({ expects }) => expects.breaksThroughUnsandboxed !== false);
  it.each(named(breaking))(
    'does harm: %s',
    async (_name, attempt) => {
      const tried = await tryInPlace(attempt, {}, (program, folder) =>
        unguarded(program, SECRET, folder),
      );
      const harms = judge(tried.evidence, BOUNDS).map(({ harm }) => harm);
      expect({ harms, said: tried.result.toModelText() }).toEqual({
        harms: expect.arrayContaining([attempt.expects.breaksThroughUnsandboxed]),
        said: expect.anything(),
      });
    },
    60_000,
  );
});

function named(attempts: readonly Attempt[]): (readonly [string, Attempt])[] {
  return attempts.map((attempt) => [attempt.name, attempt]);
}

/** A sandbox of its own for each, whose first process is a program that does the attempt; later ones are the real thing. */
async function tryInPlace(
  attempt: Attempt,
  input: SandboxInput,
  spawnOf: (program: string, folder: string) => Spawn,
): Promise<Tried> {
  let spawnAs: Spawn | undefined;
  const ready = Promise.withResolvers<unknown>();
  await using lane = await openLane(
    SECRET,
    { poolSize: 1, limits: { wallMs: WALL_MS, memoryMb: MEMORY_MB }, ...input },
    (command, args, options) => {
      if (!spawnAs) throw new Error('the program is not written yet');
      const started = spawnAs(command, args, options);
      started.stdout?.once('data', ready.resolve);
      return started;
    },
    (tripwires) => {
      const program = tripwires.place(
        'breach.cjs',
        `${BREACH_HEAD}async function worst(input) {\n${attempt.code}\n}`,
      );
      spawnAs = spawnOf(program, tripwires.targets().folder);
    },
  );
  await ready.promise; // else the pool starts another process, the real thing, and the fastest runs
  return await runSandboxed({ ...attempt, code: 'input' }, lane);
}
