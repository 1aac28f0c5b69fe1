import { hash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of numbers, uniform in [0, 1), and the streams below it. */
export interface Random {
  (): number;
  /**
   * A stream of its own, fixed by this stream's seed and `name` alone: how much was drawn here or elsewhere does not move
   * it. Give each concurrent party a child, and the numbers stay put however the host schedules them.
   */
  child(name: string): Random;
}

/**
 * A reproducible stream: the same seed gives the same numbers on every machine and Node version.
 *
 * Not for secrets: whoever sees a few numbers can compute the rest.
 * @example
 * const random = seededRandom(23);
 * random.child('agent-1')(); // the same, whatever random() or another child gave before
 */
export function seededRandom(seed: number | string): Random {
  return stream(`seed/${seed}`);
}

/** Numbers that nobody can foresee or repeat: the default wherever no seed is given. */
export const systemRandom: Random = Object.assign(
  () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
  { child: () => systemRandom },
);

/**
 * One draw, uniform in [0, 1), fixed by its key alone. For draws that must not depend on how many others came before.
 * @example
 * const isFault = keyedDraw(seed, 'gohighlevel', 'contacts.create', nthCall) < 0.03;
 */
export function keyedDraw(...key: readonly (string | number)[]): number {
  const digest = hash('sha256', JSON.stringify(key), 'buffer');
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

function stream(path: string): Random {
  const digest = hash('sha256', path, 'buffer');
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  return Object.assign(() => uniformFloat64(generator), {
    // A name is escaped, so that child('a').child('b') and child('a/b') are two streams.
    child: (name: string) => stream(`${path}/${encodeURIComponent(name)}`),
  });
}
