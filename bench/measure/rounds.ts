import { median } from '../../packages/core/src/index.ts';
import type { Figure } from './figure.ts';

export interface Contender {
  name: string;
  isPeer?: boolean;
  /** Makes ready what is not timed; what it returns is timed. */
  prepare(): Promise<() => Promise<void>> | (() => Promise<void>);
}

export interface RoundOptions {
  rounds: number;
  /** Rounds that do not count, for the compiler. */
  warmUps: number;
}

/**
 * Times every contender once a round, in an order that turns by one each round, so that a slow minute of the machine, and
 * the rubbish that one leaves to the next, fall on all alike.
 * @returns Milliseconds per round, by the contender's name.
 */
export async function timeRounds(
  contenders: readonly Contender[],
  { rounds, warmUps }: RoundOptions,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = -warmUps; round < rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(turn + round + warmUps) % contenders.length];
      if (!contender) continue;
      const run = await contender.prepare();
      globalThis.gc?.();
      const startedAt = performance.now();
      await run();
      const ms = performance.now() - startedAt;
      if (round >= 0) times.get(contender.name)?.push(ms);
    }
  }
  return times;
}

/** The middle of the values, with the smallest and the largest beside it. */
export function summary(values: readonly number[]): Required<Pick<Figure, 'measured' | 'range'>> {
  return { measured: median(values), range: [Math.min(...values), Math.max(...values)] };
}
