import { type Clock, defineTool, ManualClock, seededRandom, type Tool } from '@buddy/core';
import { createSandbox, type RunResult } from '@buddy/sandbox';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

/** A tool that takes as long as it is told, on the clock that it is given. */
function waiter(clock: Clock, told: string[] = []): Tool {
  return defineTool({
    name: 'wait',
    description: 'Waits.',
    tier: 1,
    effect: 'pure',
    input: z.object({ ms: z.number(), name: z.string() }),
    output: z.string(),
    execute: async ({ ms, name }, { signal }) => {
      told.push(`${name} begins at ${clock.monotonic()}`);
      await clock.sleep(ms, signal);
      told.push(`${name} ends at ${clock.monotonic()}`);
      return name;
    },
  });
}

function valueOf(result: RunResult): unknown {
  return result.status === 'ok' ? result.value : result.toModelText();
}

describe('a sandbox on a manual clock', () => {
  it('lets the clock move while a tool sleeps, and shows the program that time', async () => {
    const clock = new ManualClock();
    await using sandbox = await createSandbox({ tools: [waiter(clock)] }, { clock });
    const code = `const began = Date.now();
      await tools.wait({ ms: 3_600_000, name: 'an hour' });
      await new Promise((done) => setTimeout(done, 60_000));
      Date.now() - began`;
    const result = await clock.run(() => sandbox.run(code));
    expect(valueOf(result)).toBe(3_660_000);
    expect(clock.monotonic()).toBe(3_660_000);
    expect(result.usage.wallMs).toBeLessThan(5_000);
  });

  it('holds the clock while a program computes', async () => {
    const clock = new ManualClock();
    await using sandbox = await createSandbox({ tools: [] }, { clock });
    const seen: number[] = [];
    const code = 'let sum = 0; for (let i = 0; i < 5e6; i++) sum += i; sum';
    await clock.run(async () => {
      const run = sandbox.run(code).then(() => seen.push(clock.monotonic()));
      await Promise.all([run, clock.sleep(1_000)]);
    });
    expect(seen).toEqual([0]);
  });

  it('meets the same times and the same order of calls in every run, with many programs at once', async () => {
    const stories: unknown[] = [];
    for (let time = 0; time < 3; time++) {
      const clock = new ManualClock();
      const told: string[] = [];
      await using sandbox = await createSandbox(
        { tools: [waiter(clock, told)], poolSize: 2, concurrency: 3 },
        { clock, random: seededRandom(1) },
      );
      const code = `const first = await Promise.all([
          tools.wait({ ms: 30, name: input + 'a' }), tools.wait({ ms: 10, name: input + 'b' }),
          tools.wait({ ms: 10, name: input + 'c' }).then(async (c) => c + await tools.wait({ ms: 10, name: input + 'd' })),
        ]);
        tools.wait({ ms: 5, name: input + 'never awaited' });
        [Date.now(), Math.random(), first]`;
      const values = await clock.run(() =>
        Promise.all(
          ['1', '2', '3', '4', '5'].map(async (input) => [
            valueOf(await sandbox.run(code, { input, seed: input })),
            clock.monotonic(),
          ]),
        ),
      );
      stories.push({ values, told });
    }
    expect(stories[1]).toEqual(stories[0]);
    expect(stories[2]).toEqual(stories[0]);
    expect(stories[0]).toMatchObject({ values: expect.arrayContaining([[expect.any(Array), 30]]) });
  });

  it('kills a program that computes for ever, and the clock goes on', async () => {
    const clock = new ManualClock();
    const limits = { cpuMs: 200 };
    await using sandbox = await createSandbox({ limits }, { clock });
    const result = await clock.run(async () => {
      const run = sandbox.run('for (;;) {}');
      await clock.sleep(5);
      return run;
    });
    expect(result).toMatchObject({ status: 'limit', limit: { kind: 'cpu', allowed: 200 } });
    expect(clock.monotonic()).toBe(5);
  });
});
