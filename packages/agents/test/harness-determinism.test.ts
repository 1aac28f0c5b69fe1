import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepReally } from 'node:timers/promises';
import { createHarness, openFolderOutput } from '@buddy/agents';
import {
  type Clock,
  countingId,
  defineTool,
  keyedDraw,
  ManualClock,
  seededRandom,
} from '@buddy/core';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hashOf, prepare, type Setup, task, TestFailure } from './harness-fixture.ts';

/** Unequal tasks that fail as the seed says, some of them in chains, over three waves. */
function workload(seed: number): string[] {
  const random = seededRandom(seed).child('workload');
  return Array.from({ length: 120 }, (_, at) =>
    task(`t${at}`, {
      wave: 1 + (at % 3),
      input: { id: at },
      predicted_success_probability: 0.5 + random() / 2,
      predicted_execution_time: 0.2 + 3 * random(),
      heuristics: random() < 0.3 ? ['warm-lead'] : [],
      ...(at % 10 === 6 && { depends_on: [`t${at - 3}`] }),
    }),
  );
}

/** Takes time on the clock and, where `wait` says so, time of the real world. */
function realTool(clock: Clock, seed: number, wait: () => Promise<void>) {
  return defineTool({
    name: 'test.work',
    description: 'Works.',
    tier: 1,
    effect: 'pure',
    input: z.object({ id: z.number() }),
    output: z.object({ at: z.number() }),
    execute: async ({ id }, { attempt, actor, signal }) => {
      const draw = (what: string) => keyedDraw(seed, what, id, attempt, actor.id);
      await clock.sleep(200 + 2_000 * draw('before'), signal);
      await clock.external(wait);
      await clock.sleep(2_000 * draw('after'), signal);
      if (draw('failure') < 0.3) {
        throw new TestFailure('by chance', { retryable: draw('kind') < 0.5 });
      }
      return { at: clock.now() };
    },
  });
}

const agents = [{ id: 'ada', capacity: 3 }, { id: 'ben' }, { id: 'cyd', capacity: 2 }];
const noWait = () => Promise.resolve();

function setup(seed: number, wait = noWait): Setup {
  return {
    input: { agents, seed },
    lines: workload(7),
    makeTools: (clock) => [realTool(clock, seed, wait)],
  };
}

async function inMemory(seed: number, wait = noWait): Promise<string> {
  const { run, output } = await prepare(setup(seed, wait));
  const { counts } = await run();
  expect(counts.completed).toBeGreaterThan(60);
  expect(counts.skipped).toBeGreaterThan(0);
  return hashOf(output.files);
}

async function filesIn(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), await readFile(path, 'utf8'));
  }
  return files;
}

describe('two runs with one seed and a manual clock', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  async function inFolder(seed: number, wait: () => Promise<void>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'buddy-harness-'));
    folders.push(folder);
    const clock = new ManualClock();
    const output = await openFolderOutput(folder, { clock });
    const { input = {}, lines, makeTools } = setup(seed, wait);
    const tools = makeTools?.(clock) ?? [];
    const harness = createHarness(input, { tools, clock, output, newId: countingId('run') });
    await clock.run(async () => {
      await harness.load({ tasks: lines });
      await harness.run();
    });
    await harness.close();
    return hashOf(await filesIn(folder));
  }

  it('leave the same bytes wherever the input lies, bad lines and all', async () => {
    const hashes: string[] = [];
    for (const prefix of ['buddy-here-', 'buddy-elsewhere-']) {
      const parent = await mkdtemp(join(tmpdir(), prefix));
      folders.push(parent);
      const folder = join(parent, 'phase20');
      await mkdir(folder);
      const lines = [...workload(7), 'not JSON\n'];
      await writeFile(join(folder, 'predicted_tasks.jsonl'), lines.join(''));
      const { harness, output, run } = await prepare(setup(23));
      await harness.load(folder);
      await run();
      expect(output.files.get('phase21/load_problems.jsonl')).toContain('predicted_tasks.jsonl');
      hashes.push(hashOf(output.files));
    }
    expect(hashes[0]).toBe(hashes[1]);
  });

  it('leave the same bytes in memory', async () => {
    expect(await inMemory(23)).toBe(await inMemory(23));
  });

  it('leave the same bytes on disk, and those are the bytes in memory', async () => {
    const [first, second] = [await inFolder(23, noWait), await inFolder(23, noWait)];
    expect(first).toBe(second);
    expect(first).toBe(await inMemory(23));
  });

  it('leave the same bytes however long real work takes, and in whatever order it ends', async () => {
    const ends: string[] = [];
    let calls = 0;
    const scattered = (salt: number) => async () => {
      const call = calls++;
      const ms = Math.floor(5 * keyedDraw(salt, call));
      if (ms > 0) await sleepReally(ms);
      else await new Promise((resolve) => setImmediate(resolve));
      ends.push(`${salt}/${ms}`);
    };
    const first = await inFolder(23, scattered(1));
    const second = await inFolder(23, scattered(2));
    expect(first).toBe(second);
    expect(new Set(ends).size).toBeGreaterThan(6);
  });

  it('differ when the seed does', async () => {
    expect(await inMemory(23)).not.toBe(await inMemory(24));
  });

  it('differ when one task takes a millisecond more, so that the hash misses nothing', async () => {
    const { run, output } = await prepare({
      ...setup(23),
      makeTools: (clock) => {
        const tool = realTool(clock, 23, noWait);
        const slower: typeof tool = {
          ...tool,
          execute: async (input, context) => {
            if (context.taskId === 't50') await clock.sleep(1);
            return tool.execute(input, context);
          },
        };
        return [slower];
      },
    });
    await run();
    expect(hashOf(output.files)).not.toBe(await inMemory(23));
  });
});
