import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ManualClock } from '@buddy/core';
import {
  type CallUsage,
  createLimitBook,
  type Ledger,
  type LimitDemand,
  LIMITS_MIGRATION,
  type LimitSubject,
  openLedger,
  type ReserveResult,
} from '@buddy/governance';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callsPerHour, euros, HOUR_MS, subject } from './limits/demands.ts';

describe('a limit', () => {
  it('lets through what is allowed, and says of the next why not', async () => {
    const { take } = openBook();
    for (let n = 0; n < 3; n += 1) expect((await take([callsPerHour(3)])).kind).toBe('reserved');
    expect(await take([callsPerHour(3)])).toEqual({
      kind: 'refused',
      rule: 'few',
      explanation:
        'Rule few allows 3 calls within a hour by all together; 0 are used and 3 held for calls under way; ' +
        'this call would take 1, for which there is room by 2026-01-01T01:00:00.000Z.',
      shortage: {
        measure: 'calls',
        allowed: 3,
        used: 0,
        reserved: 3,
        asked: 1,
        freesAt: Date.UTC(2026, 0, 1, 1),
      },
    });
  });

  it('says what is used, what is under way, and by when there is room for what was asked', async () => {
    const { clock, take, commit } = openBook();
    await commit(await take([euros(100, 30)]), {});
    await clock.advance(60_000);
    await commit(await take([euros(100, 30)]), {});
    await clock.advance(60_000);
    await take([euros(100, 20)]);
    const shortageOf = async (amount: number) => {
      const taken = await take([euros(100, amount)]);
      return taken.kind === 'refused' ? taken.shortage : undefined;
    };
    const start = Date.UTC(2026, 0, 1);
    expect(await shortageOf(21)).toEqual({
      measure: 'spend',
      currency: 'EUR',
      allowed: 100,
      used: 60,
      reserved: 20,
      asked: 21,
      freesAt: start + HOUR_MS,
    });
    expect((await shortageOf(51))?.freesAt).toBe(start + 60_000 + HOUR_MS);
    expect((await shortageOf(100))?.freesAt).toBe(start + 120_000 + HOUR_MS);
    expect((await shortageOf(101))?.freesAt).toBeNull();
    await clock.advance(HOUR_MS - 120_000);
    expect((await take([euros(100, 21)])).kind).toBe('reserved');
  });

  it('never lets 1000 that try at once exceed it by one', async () => {
    const { take } = openBook();
    const results = await Promise.all(
      Array.from({ length: 1_000 }, () => take([callsPerHour(137)])),
    );
    expect(results.filter(({ kind }) => kind === 'reserved')).toHaveLength(137);
  });

  it('never lets four processes together exceed it by one, and counts what the dead took', async () => {
    const file = join(newFolder(), 'governance.db');
    openBook(file);
    const child = fileURLToPath(new URL('limits/taking-child.ts', import.meta.url));
    const run = promisify(execFile);
    const taken = await Promise.all(
      Array.from({ length: 4 }, () =>
        run(process.execPath, ['--conditions=@buddy/source', child, file, '250', '333']),
      ),
    );
    const total = taken.reduce((all, { stdout }) => all + Number(stdout), 0);
    expect(total).toBe(333);
    const { take } = openBook(file); // they are all gone; what they took is not
    expect((await take([callsPerHour(333)])).kind).toBe('refused');
  });

  it('never counts more than is allowed in any window of its length', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ wait: fc.nat(400), amount: fc.integer({ min: 1, max: 5 }) }), {
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 12 }),
        async (steps, allowed) => {
          const { take, clock } = openBook();
          const taken: { at: number; amount: number }[] = [];
          for (const { wait, amount } of steps) {
            await clock.advance(wait);
            const { kind } = await take([callsPerHour(allowed, { amount, windowMs: 1_000 })]);
            const at = clock.now();
            const used = sum(taken.filter((one) => one.at > at - 1_000));
            // Neither more than allowed, nor less than there is room for.
            expect(kind).toBe(used + amount <= allowed ? 'reserved' : 'refused');
            if (kind === 'reserved') taken.push({ at, amount });
          }
        },
      ),
      { numRuns: 30 },
    ));

  it('slides: each call is forgotten when its own time is over', async () => {
    const { take, clock } = openBook();
    await take([callsPerHour(2)]);
    await clock.advance(HOUR_MS / 2);
    await take([callsPerHour(2)]);
    await clock.advance(HOUR_MS / 2 - 1);
    expect((await take([callsPerHour(2)])).kind).toBe('refused');
    await clock.advance(1);
    expect((await take([callsPerHour(2)])).kind).toBe('reserved');
    expect((await take([callsPerHour(2)])).kind).toBe('refused');
  });

  it('forgets all that has ended at once, however much that is', async () => {
    const { take, clock } = openBook();
    await Promise.all(Array.from({ length: 100 }, () => take([callsPerHour(100)])));
    await clock.advance(HOUR_MS);
    expect((await take([callsPerHour(100, { amount: 100 })])).kind).toBe('reserved');
  });

  const others: [LimitDemand['by'], Partial<LimitSubject>, string][] = [
    ['agent', { actor: { kind: 'agent', id: 'other' } }, 'another agent'],
    ['agent', { actor: { kind: 'human', id: 'scout' } }, 'a person of the same name'],
    ['run', { runId: 'run-2' }, 'another run'],
    ['run', { runId: null }, 'no run'],
    ['tool', { action: 'crm.notes.create' }, 'another tool'],
  ];
  it.each(others)('by %s counts %j apart (%s)', async (by, other) => {
    const { take } = openBook();
    await take([callsPerHour(1, { by })]);
    expect((await take([callsPerHour(1, { by })])).kind).toBe('refused');
    expect((await take([callsPerHour(1, { by })], { ...subject, ...other })).kind).toBe('reserved');
    expect((await take([callsPerHour(1, { by: 'all' })])).kind).toBe('reserved');
    const outcome = await take([callsPerHour(1, { by: 'all' })], { ...subject, ...other });
    expect(outcome.kind).toBe('refused');
  });

  it('takes all that a call needs, or nothing', async () => {
    const { take } = openBook();
    await take([euros(100, 60)]);
    expect(await take([callsPerHour(1), euros(100, 60)])).toMatchObject({ rule: 'budget' });
    expect((await take([callsPerHour(1), euros(100, 40)])).kind).toBe('reserved');
  });

  it('counts a limit that a rule says twice as one', async () => {
    const { take } = openBook();
    expect((await take([callsPerHour(1), callsPerHour(1)])).kind).toBe('refused');
    expect((await take([callsPerHour(2), callsPerHour(2)])).kind).toBe('reserved');
  });

  it.each([Number.NaN, -500, Number.POSITIVE_INFINITY, 1e15])(
    'refuses an amount of %d, which would count for nothing or backwards',
    async (amount) => {
      const { take } = openBook();
      await take([euros(100, 60)]);
      expect((await take([euros(100, amount)])).kind).toBe('refused');
      expect((await take([euros(100, 41)])).kind).toBe('refused');
    },
  );

  it('is kept over a restart', async () => {
    const file = join(newFolder(), 'governance.db');
    const first = openBook(file);
    await first.take([callsPerHour(1)]);
    await first.ledger.close();
    expect((await openBook(file).take([callsPerHour(1)])).kind).toBe('refused');
  });
});

describe('a reservation', () => {
  it('gives back what was not done', async () => {
    const { take, release } = openBook();
    const taken = await take([callsPerHour(1), euros(100, 100)]);
    await release(taken);
    expect((await take([callsPerHour(1), euros(100, 100)])).kind).toBe('reserved');
  });

  it('counts as it was, not as it was estimated, once that is known', async () => {
    const { take, commit } = openBook();
    await commit(await take([euros(100, 90)]), { cost: { amount: 30, currency: 'EUR' } });
    expect((await take([euros(100, 71)])).kind).toBe('refused');
    expect((await take([euros(100, 70)])).kind).toBe('reserved');
  });

  it.each<[string, CallUsage]>([
    ['nothing', {}],
    ['another currency', { cost: { amount: 1, currency: 'JPY' } }],
    ['less than nothing', { cost: { amount: -90, currency: 'EUR' } }],
    ['no number', { cost: { amount: Number.NaN, currency: 'EUR' } }],
    ['tokens only', { tokens: { in: 1, out: 1 } }],
  ])('counts as estimated when the tool reports %s', async (_name, usage) => {
    const { take, commit } = openBook();
    await commit(await take([euros(100, 90)]), usage);
    expect((await take([euros(100, 11)])).kind).toBe('refused');
    expect((await take([euros(100, 10)])).kind).toBe('reserved');
  });

  it('counts as all that is allowed when money of another currency is all that is known of it', async () => {
    const { take, commit } = openBook();
    const afterwards = { ...euros(100, 0), isCountedAfterwards: true } as const;
    await commit(await take([afterwards]), { cost: { amount: 1, currency: 'USD' } });
    expect((await take([euros(100, 1)])).kind).toBe('refused');
  });

  it('for what only the tool can tell holds up the next, once it was too much', async () => {
    const tokens: LimitDemand = {
      rule: 'words',
      measure: 'tokens',
      allowed: 100,
      windowMs: HOUR_MS,
      by: 'run',
      amount: 0,
      isCountedAfterwards: true,
    };
    const { take, commit, clock } = openBook();
    const first = await take([tokens]);
    expect(first.kind).toBe('reserved');
    await commit(first, { tokens: { in: 70, out: 30 } });
    expect((await take([tokens])).kind).toBe('refused');
    await clock.advance(HOUR_MS);
    expect((await take([tokens])).kind).toBe('reserved');
  });

  const words: LimitDemand = {
    rule: 'words',
    measure: 'tokens',
    allowed: 100,
    windowMs: HOUR_MS,
    by: 'run',
    amount: 0,
    isCountedAfterwards: true,
  };

  it('of what only the result tells lets through one call at a time, and the next when it is known', async () => {
    const { take, commit, release } = openBook();
    const first = await take([words]);
    const second = await take([words]);
    expect(second).toMatchObject({ kind: 'refused', shortage: { used: 0, reserved: 100 } });
    expect(second.kind === 'refused' && second.explanation).toContain('one such call at a time');
    expect((await take([words], { ...subject, runId: 'run-2' })).kind).toBe('reserved');
    await commit(first, { tokens: { in: 20, out: 20 } });
    const third = await take([words]);
    expect(third.kind).toBe('reserved');
    await release(third);
    expect((await take([words, words])).kind).toBe('reserved');
  });

  it('of what only the result tells uses up the limit when the result does not tell', async () => {
    const { take, commit, clock } = openBook();
    await commit(await take([words]), {});
    expect((await take([words])).kind).toBe('refused');
    await clock.advance(HOUR_MS);
    expect((await take([words])).kind).toBe('reserved');
  });

  it('of what only the result tells uses up the limit also when it is told long after', async () => {
    const { take, commit, clock } = openBook();
    const long = await take([words]);
    await clock.advance(3 * HOUR_MS);
    await take([callsPerHour(9)]); // forgets rows of times gone by
    await commit(long, {});
    expect((await take([words])).kind).toBe('refused');
  });

  it('of a call counts from when it was let through, however long it takes', async () => {
    const { take, commit, clock } = openBook();
    const long = await take([callsPerHour(1)]);
    await clock.advance(HOUR_MS - 1);
    await commit(long, {});
    await clock.advance(1);
    expect((await take([callsPerHour(1)])).kind).toBe('reserved');
  });

  it('of money counts while the call is under way, and from its end', async () => {
    const { take, commit, clock } = openBook(undefined, 3 * HOUR_MS);
    const long = await take([euros(100, 100)]);
    await clock.advance(2 * HOUR_MS);
    expect((await take([euros(100, 1)])).kind).toBe('refused');
    await commit(long, { cost: { amount: 100, currency: 'EUR' } });
    await clock.advance(HOUR_MS - 1);
    expect((await take([euros(100, 1)])).kind).toBe('refused');
    await clock.advance(1);
    expect((await take([euros(100, 1)])).kind).toBe('reserved');
  });

  it('that nobody settles counts as spent, and is forgotten like what was', async () => {
    const { take, clock } = openBook();
    await take([euros(100, 100)]);
    await clock.advance(HOUR_MS - 1);
    expect((await take([euros(100, 1)])).kind).toBe('refused');
    await clock.advance(1);
    expect((await take([euros(100, 1)])).kind).toBe('reserved');
  });

  it('is not counted when the transaction that took it comes to nothing', async () => {
    const { ledger, book, take } = openBook();
    const failed = ledger.write((transaction) => {
      book.reserve(transaction, [callsPerHour(1)], subject);
      throw new Error('the intent cannot be written');
    });
    await expect(failed).rejects.toThrow('the intent');
    expect((await take([callsPerHour(1)])).kind).toBe('reserved');
  });
});

describe('what is counted', () => {
  it('does not pile up: the rows of times gone by are forgotten, whomever they were of', async () => {
    const { take, clock, ledger } = openBook();
    for (let n = 0; n < 300; n += 1) {
      const runId = `run-${n}`;
      await take([callsPerHour(5, { by: 'run', windowMs: 1_000 })], { ...subject, runId });
      await clock.advance(100);
    }
    const rows = ledger.read((database) =>
      ['limit_usage', 'limit_counters'].map((table) =>
        Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']),
      ),
    );
    for (const count of rows) expect(count).toBeLessThanOrEqual(11);
  });

  it('adds up to its rows, whatever was taken, given back and settled', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            amount: fc.integer({ min: 1, max: 9 }),
            ending: fc.constantFrom('commit', 'release', 'nothing'),
            wait: fc.nat(2_000_000),
          }),
          { maxLength: 20 },
        ),
        async (steps) => {
          const { take, commit, release, clock, ledger } = openBook();
          for (const { amount, ending, wait } of steps) {
            const taken = await take([euros(30, amount), callsPerHour(10)]);
            await clock.advance(wait);
            if (taken.kind === 'refused' || ending === 'nothing') continue;
            if (ending === 'release') await release(taken);
            else await commit(taken, { cost: { amount: amount + 1, currency: 'EUR' } });
          }
          const wrong = ledger.read((database) =>
            database
              .prepare(
                `SELECT name FROM limit_counters WHERE total <>
                   (SELECT coalesce(sum(amount), 0) FROM limit_usage WHERE counter = limit_counters.id)`,
              )
              .all(),
          );
          expect(wrong).toEqual([]);
        },
      ),
      { numRuns: 20 },
    ));
});

function openBook(file = ':memory:', longestCallMs?: number) {
  const clock = new ManualClock();
  const ledger: Ledger = openLedger({ file }, { clock, migrations: [LIMITS_MIGRATION] });
  onTestFinished(() => ledger.close());
  const book = createLimitBook(longestCallMs === undefined ? {} : { longestCallMs });
  const take = (demands: LimitDemand[], by = subject) =>
    ledger.write((transaction) => book.reserve(transaction, demands, by));
  const commit = (taken: ReserveResult, usage: CallUsage) =>
    ledger.write((transaction) => book.commit(transaction, reservationOf(taken), usage));
  const release = (taken: ReserveResult) =>
    ledger.write((transaction) => book.release(transaction, reservationOf(taken)));
  return { clock, ledger, book, take, commit, release };
}

function reservationOf(taken: ReserveResult): string {
  if (taken.kind === 'refused') throw new Error(taken.explanation);
  return taken.reservation;
}

function sum(taken: readonly { amount: number }[]): number {
  return taken.reduce((total, { amount }) => total + amount, 0);
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-limits-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
