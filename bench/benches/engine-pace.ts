import { median } from '../../packages/core/src/index.ts';
import { z } from 'zod';
import type { PaceTurn } from '../children/engine-pace.ts';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';
import { Child } from './engine-child.ts';
import { measureRestart } from './engine-restart.ts';

const ROUNDS = 5;
const WALL: PaceTurn = { kind: 'wall', tasks: 1_000, taskMs: 50 };
const DELAY: PaceTurn = { kind: 'delay', perSecond: 2_000, seconds: 3, taskMs: 20 };

/** What durability takes of the pace of tasks that take their time, of the event loop, and of a restart. */
export async function measureEnginePace(): Promise<Figure[]> {
  return [...(await measurePace()), ...(await measureRestart())];
}

async function measurePace(): Promise<Figure[]> {
  const program = new URL('../children/engine-pace.ts', import.meta.url);
  const buddy = await Child.start(program, ['buddy']);
  const queue = await Child.start(program, ['p-queue']);
  const walls = new Map<Child, number[]>([
    [buddy, []],
    [queue, []],
  ]);
  const delays = new Map<Child, number[]>([
    [buddy, []],
    [queue, []],
  ]);
  const reached: number[] = [];
  try {
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const child of round % 2 === 0 ? [buddy, queue] : [queue, buddy]) {
        const [wall = NaN] = Numbers.parse(await child.ask(WALL));
        const [, p99 = NaN, perSecond = NaN] = Numbers.parse(await child.ask(DELAY));
        if (round < 0) continue;
        walls.get(child)?.push(wall);
        delays.get(child)?.push(p99);
        if (child === buddy) reached.push(perSecond);
      }
    }
  } finally {
    await Promise.all([buddy.end(), queue.end()]);
  }
  return [
    {
      name: '1000 tasks of 50 ms, 50 slots: embedded',
      unit: 'ms',
      ...summary(walls.get(buddy) ?? []),
    },
    {
      name: '1000 tasks of 50 ms, 50 slots: p-queue',
      unit: 'ms',
      ...summary(walls.get(queue) ?? []),
      isPeer: true,
    },
    {
      name: 'embedded / p-queue, wall time',
      unit: 'x',
      measured: median(walls.get(buddy) ?? []) / median(walls.get(queue) ?? []),
      target: { is: 'at most', value: 1.05 },
    },
    {
      name: 'delay of the event loop at 2000 tasks/s, p99',
      unit: 'ms',
      ...summary(delays.get(buddy) ?? []),
      target: { is: 'at most', value: 5 },
    },
    {
      name: 'the same load by p-queue, p99',
      unit: 'ms',
      ...summary(delays.get(queue) ?? []),
      isPeer: true,
    },
    { name: 'tasks that it did meanwhile', unit: '/s', ...summary(reached) },
  ];
}

const Numbers = z.array(z.number());
