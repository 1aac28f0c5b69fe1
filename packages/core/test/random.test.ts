import { keyedDraw, type Random, seededRandom, systemRandom } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function draw(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random());
}

/** Pearson's statistic for draws in equal bins; with 99 degrees of freedom it exceeds 148.2 once in 1000. */
function chiSquare(draws: number[], bins = 100): number {
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of draws) {
    const bin = Math.floor(value * bins);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const expected = draws.length / bins;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Written down once: an upgrade of pure-rand that moves them would change every recorded run. */
const PINNED = {
  seed23: [0.05312757701931714, 0.28461395288398805, 0.825179864004822],
  child: [0.025911897131930095, 0.2926909140810079],
  keyed: 0.3773077385331973,
};

describe('a seeded random stream', () => {
  it('gives these numbers for these seeds, for ever', () => {
    expect(draw(seededRandom(23), 3)).toEqual(PINNED.seed23);
    expect(draw(seededRandom('phase21').child('agent-1'), 2)).toEqual(PINNED.child);
    expect(keyedDraw(23, 'gohighlevel', 'contacts.create', 7)).toBe(PINNED.keyed);
  });

  it('is the same for equal seeds and another for others', () =>
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        fc.pre(a !== b);
        expect(draw(seededRandom(a), 5)).toEqual(draw(seededRandom(a), 5));
        expect(draw(seededRandom(a), 5)).not.toEqual(draw(seededRandom(b), 5));
      }),
    ));

  it('has children that no draw elsewhere moves', () =>
    fc.assert(
      fc.property(
        fc.integer(),
        fc.string(),
        fc.string(),
        fc.nat(20),
        (seed, name, other, draws) => {
          fc.pre(name !== other);
          const untouched = draw(seededRandom(seed).child(name), 5);
          const busy = seededRandom(seed);
          draw(busy, draws);
          draw(busy.child(other), draws);
          expect(draw(busy.child(name), 5)).toEqual(untouched);
          expect(draw(busy.child(other), 5)).not.toEqual(untouched);
        },
      ),
    ));

  it('does not take a path for a name', () => {
    const random = seededRandom(1);
    expect(random.child('a/b')()).not.toBe(random.child('a').child('b')());
  });

  it.each([
    ['a stream', draw(seededRandom(7), 20_000)],
    [
      'the first draws of many children',
      Array.from({ length: 20_000 }, (_, n) => seededRandom(7).child(`task-${n}`)()),
    ],
    ['keyed draws', Array.from({ length: 20_000 }, (_, n) => keyedDraw(7, 'mployer', n))],
  ])('is uniform in [0, 1): %s', (_what, draws) => {
    expect(draws.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(chiSquare(draws)).toBeLessThan(148.2);
  });
});

describe('a keyed draw', () => {
  it('depends on each part of its key, and on where the parts end', () => {
    const draws = [
      keyedDraw(1, 'ab', 'c'),
      keyedDraw(1, 'a', 'bc'),
      keyedDraw('1', 'ab', 'c'),
      keyedDraw(1, 'ab'),
    ];
    expect(new Set(draws).size).toBe(4);
  });
});

describe('the system random', () => {
  it('draws within [0, 1), from its children too', () => {
    const draws = draw(systemRandom.child('a'), 50);
    expect(draws.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(new Set(draws).size).toBeGreaterThan(45);
  });
});
