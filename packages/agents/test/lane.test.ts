import { createEngine, type Workflow } from '@buddy/agents';
import { ManualClock, type Tool } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Remembered } from './remembered.ts';

const WIDTH = 3;
const TASKS = 20;

/** A disk that keeps what came of calls only when it is told to. */
class SlowDisk extends Remembered {
  readonly #held: (() => void)[] = [];

  override open() {
    const store = super.open();
    return {
      ...store,
      keep: async (operation: Parameters<typeof store.keep>[0]) => {
        if (operation.kind === 'recorded') await new Promise<void>((done) => this.#held.push(done));
        await store.keep(operation);
      },
    };
  }

  keepAll(): void {
    for (const keep of this.#held.splice(0)) keep();
  }
}

const all: Workflow = async (ctx) =>
  ctx.joinAll(
    await ctx.spawnAll(
      Array.from({ length: TASKS }, (_, n) => ({
        key: `${n}`,
        id: `one/${n}`,
        workflow: 'one',
        input: null,
      })),
    ),
  );

const one: Workflow = (ctx) =>
  ctx.activity({
    key: 'call',
    tool: 'call',
    input: null,
    work: ctx.id,
    actor: { kind: 'system', id: 'test' },
    rationale: 'a test',
    attempt: 1,
    lane: 'ada',
  });

function setUp(callMs: number) {
  const clock = new ManualClock();
  const disk = new SlowDisk();
  const seen = { begun: 0, atOnce: 0, mostAtOnce: 0 };
  const any = z.unknown();
  const call: Tool = {
    name: 'call',
    description: 'Takes its time.',
    tier: 1,
    effect: 'pure',
    input: any,
    output: any,
    execute: async () => {
      seen.begun += 1;
      seen.atOnce += 1;
      seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce);
      await clock.sleep(callMs);
      seen.atOnce -= 1;
      return null;
    },
  };
  const engine = createEngine({ clock, store: disk.open() });
  engine.register({ workflows: { all, one }, tools: [call], lanes: { ada: WIDTH } });
  return { clock, disk, seen, engine };
}

describe('a lane of a durable engine', () => {
  it('lets the next call begin while what came of the last is on its way to the disk', async () => {
    const { clock, seen, engine } = setUp(10);
    await engine.start('all', 'all', null);
    await clock.advance(5);
    expect(seen.begun).toBe(WIDTH);
    await clock.advance(5);
    expect(seen.begun).toBeGreaterThan(WIDTH);
    await engine.close();
  });

  it('lets no call begin while what came of as many as it is wide is not kept', async () => {
    const { clock, disk, seen, engine } = setUp(10);
    await engine.start('all', 'all', null);
    await clock.advance(1_000);
    expect(seen.begun).toBeLessThan(2 * WIDTH);
    disk.keepAll();
    await clock.advance(1_000);
    expect(seen.begun).toBeGreaterThanOrEqual(2 * WIDTH);
    await engine.close();
  });

  it('never has more calls under way than it is wide, and gets through them all', async () => {
    const { clock, disk, seen, engine } = setUp(10);
    await engine.start('all', 'all', null);
    while (seen.begun < TASKS || seen.atOnce > 0) {
      await clock.advance(10);
      disk.keepAll();
    }
    const result = engine.result('all');
    await clock.advance(10);
    disk.keepAll();
    expect(await result).toMatchObject({ kind: 'completed' });
    expect(seen).toEqual({ begun: TASKS, atOnce: 0, mostAtOnce: WIDTH });
    await engine.close();
  });
});
