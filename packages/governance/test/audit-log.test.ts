import { statSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, ManualClock } from '@buddy/core';
import {
  type AuditEntry,
  type AuditQueryInput,
  auditLogOf,
  openAuditLog,
  openLedger,
} from '@buddy/governance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approval, intent, newFile, outcome, refusal } from './audit/entries.ts';

const HOUR = 3_600_000;

describe('the log', () => {
  it('answers every query as a scan of all entries would, page by page', async () => {
    const clock = new ManualClock();
    await using ledger = openLedger({ file: ':memory:' }, { clock });
    const actors = ['ada', 'bob', 'eve'];
    const actions = ['crm.contacts.upsert', 'mail.send'];
    for (let n = 0; n < 200; n += 1) {
      await clock.advance((n * 7919) % 5000);
      const actor = { kind: 'agent', id: actors[n % 3] ?? '' } as const;
      const action = actions[n % 2] ?? '';
      const tier = n % 5 === 0 ? 3 : 2;
      await ledger.write(({ append }) => {
        if (n % 4 === 3) return append(approval(`a-${n}`, 'filed'));
        if (n % 4 === 2)
          return append(
            refusal({ actor, action, tier, decision: n % 8 === 2 ? 'deny' : 'approve' }),
          );
        const { seq } = append(intent({ actor, action, tier }));
        return append(outcome(seq, { actor, action, tier }));
      });
    }
    const log = auditLogOf(ledger);
    const all = Array.from({ length: log.size() }, (_, seq) => log.entry(seq));
    const start = all[0]?.at ?? 0;
    const span = clock.now() - start;
    const moment = fc.nat(span).map((ms) => start + ms);
    const query = fc.record(
      {
        actor: fc.constantFrom(...actors, 'bob', 'nobody'),
        action: fc.constantFrom(...actions),
        tier: fc.constantFrom(2 as const, 3 as const, 4 as const),
        decision: fc.constantFrom('allow' as const, 'deny' as const, 'approve' as const),
        kind: fc.constantFrom('intent' as const, 'outcome' as const, 'approval' as const),
        since: moment,
        until: moment,
        limit: fc.integer({ min: 1, max: 30 }),
      },
      { requiredKeys: [], noNullPrototype: true },
    );
    fc.assert(
      fc.property(query, (asked) => {
        const found: AuditEntry[] = [];
        for (
          let after: string | undefined, page = 0;
          page === 0 || after !== undefined;
          page += 1
        ) {
          const { entries, next } = log.query({ ...asked, ...(after !== undefined && { after }) });
          expect(entries.length).toBeLessThanOrEqual(asked.limit ?? 50);
          found.push(...entries);
          after = next;
        }
        expect(found).toEqual(all.filter((entry) => matches(entry, asked)).toReversed());
      }),
      { numRuns: 200 },
    );
  });

  it('answers over several blocks of entries, and where the clock was set back', async () => {
    const clock = new ManualClock();
    let setBackMs = 0;
    const skewed = { ...bound(clock), now: () => clock.now() - setBackMs };
    await using ledger = openLedger({ file: ':memory:' }, { clock: skewed });
    const write = (entries: number, action: string) =>
      ledger.write(({ append }) => {
        for (let n = 0; n < entries; n += 1) append(refusal({ action }));
      });
    await write(3_000, 'first');
    await clock.advance(HOUR);
    await write(3_000, 'second');
    setBackMs = 2 * HOUR;
    await write(3_000, 'set back');
    const log = auditLogOf(ledger);
    const count = (asked: AuditQueryInput) => {
      let found = 0;
      for (let after: string | undefined, page = 0; page === 0 || after !== undefined; page += 1) {
        const { entries, next } = log.query({
          ...asked,
          limit: 1_000,
          ...(after !== undefined && { after }),
        });
        found += entries.length;
        after = next;
      }
      return found;
    };
    const start = clock.now() - HOUR;
    expect(log.entry(8_999).at).toBe(start - HOUR);
    expect(count({})).toBe(9_000);
    expect(count({ since: start })).toBe(6_000);
    expect(count({ until: start })).toBe(3_000);
    expect(count({ since: start, until: start + 1, actor: 'ada' })).toBe(3_000);
    expect(count({ action: 'set back', decision: 'deny', since: start })).toBe(0);
    expect(count({ action: 'second', until: start + HOUR })).toBe(0);
    expect(log.query({ action: 'first', limit: 1 }).entries).toMatchObject([{ seq: 2_999 }]);
  });

  it('says what is wrong with a query', async () => {
    await using ledger = openLedger({ file: ':memory:' });
    const log = auditLogOf(ledger);
    // @ts-expect-error: a misspelt filter
    expect(() => log.query({ actr: 'ada' })).toThrow(/actr/);
    expect(() => log.query({ limit: 0 })).toThrow(/limit/);
    expect(() => log.query({ after: 'x' })).toThrow(/page before/);
    expect(() => log.entry(0)).toThrow(
      expect.objectContaining({ code: 'GOVERNANCE_AUDIT_NOT_FOUND' }),
    );
  });

  it('shows on its card what waits, what was denied within a day, the tiers and the last ten decisions', async () => {
    const clock = new ManualClock();
    await using ledger = openLedger({ file: ':memory:' }, { clock });
    const log = auditLogOf(ledger);
    const deny = () => ledger.write(({ append }) => append(refusal({ tier: 3 })));
    expect(log.card(clock.now())).toEqual({
      pendingApprovals: 0,
      violations24h: 0,
      tiers: { 1: 0, 2: 0, 3: 0, 4: 0 },
      decisions: [],
    });
    await deny();
    await clock.advance(12 * HOUR);
    await deny();
    await ledger.write(({ append }) => {
      append(refusal({ decision: 'approve' }));
      for (const id of ['a', 'b', 'c', 'd']) append(approval(id, 'filed'));
      append(approval('a', 'voted'));
      append(approval('a', 'approved'));
      append(approval('a', 'consumed'));
      append(approval('b', 'denied'));
      for (let n = 0; n < 12; n += 1) append(intent({ tier: 1, action: `read.${n}` }));
    });
    expect(log.card(clock.now())).toMatchObject({
      pendingApprovals: 2,
      violations24h: 2,
      tiers: { 1: 12, 2: 1, 3: 2, 4: 0 },
    });
    expect(log.card(clock.now()).decisions.map(({ action }) => action)).toEqual(
      Array.from({ length: 10 }, (_, n) => `read.${11 - n}`),
    );
    await clock.advance(13 * HOUR);
    expect(log.card(clock.now()).violations24h).toBe(1);
    await clock.advance(12 * HOUR);
    expect(log.card(clock.now()).violations24h).toBe(0);
  });

  it('counts on its card also what was denied on a clock that was ahead', async () => {
    const clock = new ManualClock();
    await using ledger = openLedger({ file: ':memory:' }, { clock });
    await ledger.write(({ append }) => append(refusal()));
    await clock.advance(HOUR);
    await ledger.write(({ append }) => append(refusal()));
    const log = auditLogOf(ledger);
    expect(log.card(clock.now() - HOUR).violations24h).toBe(log.card(clock.now()).violations24h);
    expect(log.card(clock.now() - HOUR).violations24h).toBe(2);
  });

  it('counts nothing of what was taken back', async () => {
    await using ledger = openLedger({ file: ':memory:' });
    const before = auditLogOf(ledger).card(0);
    const work = ledger.write(({ append }) => {
      append(refusal());
      append(approval('a', 'filed'));
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(auditLogOf(ledger).card(0)).toEqual(before);
  });

  it('can be read beside the process that writes it, without its keys', async () => {
    const file = newFile();
    await using ledger = openLedger({ file });
    using log = openAuditLog(file);
    expect(log.size()).toBe(0);
    await ledger.write(({ append }) => append(refusal()));
    expect(log.query().entries).toMatchObject([{ seq: 0, kind: 'refusal' }]);
    expect(() => openAuditLog(`${file}.key`)).toThrow(
      expect.objectContaining({ code: 'GOVERNANCE_LEDGER_OPEN_FAILED' }),
    );
  });
});

describe('a checkpoint', () => {
  it('is signed with the first entry, after so many, after so long, and at the end; and each is published', async () => {
    const clock = new ManualClock();
    const file = newFile();
    const published: number[] = [];
    const publish = ({ size }: { size: number }) => {
      published.push(size);
    };
    const ledger = openLedger(
      { file, checkpointEntries: 4, checkpointMs: 1_000 },
      { clock, publish },
    );
    const append = (entries: number) =>
      ledger.write((transaction) => {
        for (let n = 0; n < entries; n += 1) transaction.append(refusal());
      });
    await append(1);
    await settle(clock);
    expect(published).toEqual([1]);
    await append(3);
    await settle(clock);
    expect(published).toEqual([1]);
    await append(1);
    await settle(clock);
    expect(published).toEqual([1, 5]);
    await append(1);
    await clock.advance(999);
    expect(published).toEqual([1, 5]);
    await clock.advance(1);
    await settle(clock);
    expect(published).toEqual([1, 5, 6]);
    await clock.advance(10 * HOUR);
    expect(published).toEqual([1, 5, 6]); // nothing new to sign
    await append(1);
    await ledger.close();
    expect(published).toEqual([1, 5, 6, 7]);
    const again = openLedger({ file }, { clock, publish });
    await again.close();
    expect(published).toEqual([1, 5, 6, 7, 7]); // it may not have got out before the process ended
  });

  it('covers in time what was written before something went wrong', async () => {
    const clock = new ManualClock();
    let isBroken = false;
    await using ledger = openLedger(
      { file: newFile() },
      {
        clock,
        commit: (database) => {
          if (isBroken) throw new Error('disk full');
          database.exec('COMMIT');
        },
      },
    );
    const sizes: number[] = [];
    ledger.events.on('checkpointed', ({ checkpoint }) => sizes.push(checkpoint.size));
    const write = () => ledger.write(({ append }) => append(refusal()));
    await write();
    await write();
    const mistake = ledger.write(({ append }) => {
      append(refusal());
      throw new Error('a mistake of whoever writes');
    });
    await expect(mistake).rejects.toThrow('a mistake');
    await clock.advance(1_000);
    await settle(clock);
    expect(sizes).toEqual([1, 2]);
    await write();
    isBroken = true;
    await expect(write()).rejects.toThrow('disk full');
    isBroken = false;
    await clock.advance(1_000);
    await settle(clock);
    expect(sizes).toEqual([1, 2, 3]);
  });

  it('that cannot be published is told of, and the next covers it', async () => {
    const published: number[] = [];
    let isDown = true;
    await using ledger = openLedger(
      { file: ':memory:' },
      {
        publish: async ({ size }) => {
          await nextTurn();
          if (isDown) throw new Error('no route to witness');
          published.push(size);
        },
      },
    );
    const told: unknown[] = [];
    ledger.events.on('publishFailed', ({ checkpoint, error }) =>
      told.push([checkpoint.size, String(error)]),
    );
    const next = async () => {
      await ledger.write(({ append }) => append(refusal()));
      await ledger.checkpoint();
      await nextTurn();
      await nextTurn();
    };
    await next();
    isDown = false;
    await next();
    expect(told).toEqual([[1, 'Error: no route to witness']]);
    expect(published).toEqual([2]);
  });
});

describe('the key file', () => {
  it('is made once, and is the log’s as long as the log is', async () => {
    const file = newFile();
    const [first, second] = [openLedger({ file }), openLedger({ file })];
    expect(second.verifierKey).toBe(first.verifierKey);
    expect(first.verifierKey).toMatch(/^buddy\.local\/audit-[0-9a-f]{12}\+[0-9a-f]{8}\+/);
    await Promise.all([first.close(), second.close()]);
  });

  it('bears the name that was asked for, and no other afterwards', async () => {
    const file = newFile();
    const ledger = openLedger({ file, origin: 'example.com/log42' });
    expect(ledger.verifierKey).toMatch(/^example\.com\/log42\+/);
    await ledger.close();
    expect(() => openLedger({ file, origin: 'example.com/log43' })).toThrow(/log42/);
    expect(() => openLedger({ file, origin: 'no spaces' })).toThrow(/origin/);
  });

  it.each([
    [
      'may be read by others',
      (path: string) => writeFileSync(path, '{}', { mode: 0o644 }),
      /chmod 600/,
    ],
    [
      'is damaged',
      (path: string) => writeFileSync(path, '{"signing_key":"hunter2"}', { mode: 0o600 }),
      /damaged/,
    ],
  ])('is refused when it %s', (_what, spoil, message) => {
    const file = newFile();
    spoil(`${file}.key`);
    expect(() => openLedger({ file })).toThrow(message);
    expect(() => openLedger({ file })).not.toThrow(/hunter2/);
    expect(statSync(`${file}.key`).size).toBeGreaterThan(0); // left as it was
  });

  it('is not made anew for a log that was signed', async () => {
    const file = newFile();
    const ledger = openLedger({ file });
    await ledger.write(({ append }) => append(refusal()));
    await ledger.close();
    expect(() => openLedger({ file, keyFile: `${file}.other` })).toThrow(
      expect.objectContaining({
        code: 'GOVERNANCE_LEDGER_KEY',
        message: expect.stringContaining('bring that file back'),
      }),
    );
  });
});

describe('an intent', () => {
  it('has one outcome', async () => {
    await using ledger = openLedger({ file: ':memory:' });
    const { seq } = await ledger.write(({ append }) => append(intent()));
    await ledger.write(({ append }) => append(outcome(seq)));
    for (const of of [seq, 1, 99]) {
      await expect(ledger.write(({ append }) => append(outcome(of)))).rejects.toMatchObject({
        code: 'GOVERNANCE_INTENT_NOT_OPEN',
        intentSeq: of,
      });
    }
  });

  it('that was left open gets the outcome unknown when the ledger is opened next, and not before', async () => {
    const file = newFile();
    const first = openLedger({ file });
    const { seq } = await first.write(({ append }) => append(intent({ action: 'mail.send' })));
    const beside = openLedger({ file });
    expect(beside.recovered).toEqual([]); // whoever opened it is still there
    await Promise.all([first.close(), beside.close()]);
    await using next = openLedger({ file });
    expect(next.recovered).toEqual([seq]);
    expect(auditLogOf(next).query({ kind: 'outcome' }).entries).toMatchObject([
      { intentSeq: seq, action: 'mail.send', outcome: 'unknown' },
    ]);
    await using last = openLedger({ file });
    expect(last.recovered).toEqual([]);
  });
});

/** Its methods, to be mixed with others. */
function bound(clock: ManualClock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    external: (work) => clock.external(work),
  };
}

function matches(entry: AuditEntry, asked: AuditQueryInput): boolean {
  const field = (name: string): unknown => Reflect.get(entry, name);
  const actor = 'actor' in entry ? entry.actor : entry.by;
  return (
    (asked.actor === undefined || actor.id === asked.actor) &&
    (['action', 'tier', 'decision', 'kind'] as const).every(
      (name) => asked[name] === undefined || field(name) === asked[name],
    ) &&
    (asked.since === undefined || entry.at >= asked.since) &&
    (asked.until === undefined || entry.at < asked.until)
  );
}

/** Until what is published has been. */
async function settle(clock: ManualClock): Promise<void> {
  await clock.advance(0);
  await nextTurn();
}
