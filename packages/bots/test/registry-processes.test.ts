import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '@buddy/core';
import { type BotRegistry, createBotRegistry } from '@buddy/bots';
import { describe, expect, it } from 'vitest';
import { config, newFolder } from './registry/world.ts';
import { Writer } from './registry/writer.ts';

const TOGETHER = 8;
const UPDATES = 40;

/** The nightly run has 1000. */
const KILLS = Number(process.env['BUDDY_KILLS'] ?? 20);
const KILLED_TOGETHER = 4;
const SECONDS_PER_KILL = 10;

describe('processes that write one registry at once', () => {
  it(`lose no update: ${TOGETHER} processes, ${UPDATES} updates each of a bot that they share`, async () => {
    const { file, registry } = await newRegistry();
    const writers = Array.from(
      { length: TOGETHER },
      (_, nth) => new Writer(file, `writer-${nth}`, UPDATES),
    );
    await Promise.all(writers.map((writer) => writer.end()));
    const counts = writers.flatMap((writer) => writer.counts).toSorted((a, b) => a - b);
    expect(counts).toEqual(Array.from({ length: TOGETHER * UPDATES }, (_, nth) => nth + 1));
    expect(await registry.get('counter')).toMatchObject({
      description: `${TOGETHER * UPDATES}`,
      revision: TOGETHER * UPDATES + 1,
    });
    for (const { name } of writers) {
      expect(await registry.get(name)).toMatchObject({ description: `${UPDATES}` });
    }
  });
});

describe('a registry whose writers are killed', () => {
  it(
    `is never torn and keeps all that was acknowledged, through ${KILLS} kills at random points of their writes`,
    async () => {
      const { file, registry } = await newRegistry();
      const random = seededRandom(1973);
      const reading = readUntilTold(file);
      let acknowledged = 0;
      for (let kill = 0; kill < KILLS; kill += KILLED_TOGETHER) {
        const count = Math.min(KILLED_TOGETHER, KILLS - kill);
        acknowledged += await killWriters(registry, file, { first: kill, count, random });
      }
      expect(acknowledged).toBeGreaterThanOrEqual(KILLS); // else nothing was tried
      expect(await reading.stop()).toBeGreaterThan(KILLS);
      // Whoever writes next clears away what those who were killed were writing.
      await createBotRegistry({ file }).update('counter', { tags: ['last'] });
      expect((await readdir(dirname(file))).toSorted()).toEqual(['bots.json', 'bots.json.lock']);
    },
    (KILLS * SECONDS_PER_KILL + 20) * 1_000,
  );
});

interface Kills {
  first: number;
  count: number;
  random: Random;
}

/** Returns how much was acknowledged, none of it lost. */
async function killWriters(
  registry: BotRegistry,
  file: string,
  { first, count, random }: Kills,
): Promise<number> {
  const before = await countIn(registry);
  const writers = Array.from({ length: count }, (_, nth) => new Writer(file, `w-${first + nth}`));
  await Promise.all(
    writers.map(async (writer) => {
      await writer.hasWritten(1 + Math.floor(random() * 10));
      await sleep(random() * 6); // a write takes about so long: the kill falls anywhere into it
      await writer.kill();
    }),
  );
  for (const { name, own } of writers) {
    const bot = await registry.get(name);
    const kept = Number(bot?.description);
    expect([own, own + 1], `${name} was told of ${own}`).toContain(kept); // one more may be on the disk, untold
    await registry.delete(name);
  }
  const counts = writers.flatMap((writer) => writer.counts);
  const after = await countIn(registry);
  expect(new Set(counts).size).toBe(counts.length); // no two were told the same
  expect(after).toBeGreaterThanOrEqual(Math.max(...counts));
  expect(after - before).toBeGreaterThanOrEqual(counts.length);
  expect(after - before).toBeLessThanOrEqual(counts.length + writers.length);
  return counts.length;
}

async function countIn(registry: BotRegistry): Promise<number> {
  return Number((await registry.get('counter'))?.description);
}

/** Reads all the time, as another process would, and never sees anything but a whole registry that goes forward. */
function readUntilTold(file: string): { stop: () => Promise<number> } {
  const registry = createBotRegistry({ file });
  const stopped = new AbortController();
  const reading = (async () => {
    let [reads, last] = [0, 0];
    while (!stopped.signal.aborted) {
      const { generation, malformed } = await registry.statistics();
      expect(malformed).toBe(0);
      expect(generation).toBeGreaterThanOrEqual(last);
      last = generation;
      reads += 1;
      await sleep(1);
    }
    return reads;
  })();
  return {
    stop: () => {
      stopped.abort();
      return reading;
    },
  };
}

async function newRegistry(): Promise<{ file: string; registry: BotRegistry }> {
  const file = join(newFolder(), 'bots.json');
  const registry = createBotRegistry({ file, lockTimeoutMs: 60_000 });
  await registry.create(config('counter', { description: '0' }));
  return { file, registry };
}
