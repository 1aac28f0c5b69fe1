import assert from 'node:assert/strict';
import type { TestRunner } from '../describe-engine.ts';
import { checkFaults } from './check-faults.ts';
import type { Moment } from './kill-switch.ts';

/** Where the fault scenario is driven by one process after the other; nothing is in it at first. */
export interface KillPlace {
  /** Of the oracle, see `FaultScenario`. */
  folder: string;
  /**
   * Runs a process that opens the engine and drives the scenario with so many children.
   * @param point Where it is killed, see `createKillSwitch`; none when it is to come to its end.
   * @returns Whether it was killed.
   */
  drive(children: number, point?: string): Promise<boolean>;
  /** Looks at what else has to be so when one has come to its end. */
  check?(): Promise<void>;
  /** Removes what is left. */
  remove?(): Promise<void>;
}

export interface DescribeKillsOptions {
  /** Of an engine's own: points in an order in which a run comes by them, each by a title. */
  inTurn?: Readonly<Record<string, readonly string[]>>;
  /** Each of these at each of its moments, twice in a row, in a place of its own: that takes a process or three for each. */
  each?: Readonly<Record<string, readonly Moment[]>>;
}

/** Names that every durable engine has for what it keeps, in the order in which a run comes by them. */
const POINTS = [
  'begun:1:before',
  'begun:4:after',
  'signalled:1:before',
  'signalled:2:after',
  'cancelled:1:before',
  'intended:1:before',
  'intended:1:after',
  'called:2:within',
  'recorded:2:before',
  'opened:1:after', // in the middle of its recovery
  'opened:1:after', // and once more
  'recorded:3:after',
  'told:2:before',
  'told:2:after',
  'opened:1:after',
  'ended:2:before',
  'ended:2:after',
  'compacted:1:before',
  'compacted:1:after',
];
const CHILDREN = 8;

/**
 * What a durable engine must bear, as tests: processes that drive the fault scenario are killed at points that have names, one
 * after the other, and then one comes to the end. What is true then is said at `checkFaults`.
 * @example
 * describeKills('my engine', makePlace, { describe, it });
 */
export function describeKills(
  name: string,
  makePlace: () => KillPlace | Promise<KillPlace>,
  { describe, it }: TestRunner,
  { inTurn = {}, each = {} }: DescribeKillsOptions = {},
): void {
  const test = (title: string, work: (place: KillPlace) => Promise<void>) =>
    it(title, async () => {
      const place = await makePlace();
      try {
        await work(place);
        assert.equal(await place.drive(CHILDREN), false);
        checkFaults(place.folder, CHILDREN);
        await place.check?.();
      } finally {
        await place.remove?.();
      }
    });
  describe(`${name} loses and repeats nothing when processes are killed`, () => {
    const titled = {
      'at every point that has a name, in its recovery, and twice in a row': POINTS,
    };
    for (const [title, points] of Object.entries({ ...titled, ...inTurn })) {
      test(title, async (place) => {
        const survived = [];
        for (const point of points) if (!(await place.drive(CHILDREN, point))) survived.push(point);
        assert.deepEqual(survived, [], 'nothing came by these points');
      });
    }
    for (const [what, moments] of Object.entries(each)) {
      for (const moment of moments) {
        test(`at ${what}:${moment}, in the first process and in the next`, async (place) => {
          assert(await place.drive(CHILDREN, `${what}:1:${moment}`), 'nothing came by it');
          // Where it was the last of its kind, this process comes to the end.
          await place.drive(CHILDREN, `${what}:1:${moment}`);
        });
      }
    }
  });
}
