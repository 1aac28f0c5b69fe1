import { InvalidInputError } from '@buddy/core';
import { type AuditEntry, auditLogOf, openLedger, readRecord, recordOf } from '@buddy/governance';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intent, newFile, outcome, refusal } from './audit/entries.ts';

const entry: AuditEntry = { ...refusal(), seq: 7, at: Date.UTC(2026, 10, 21, 12, 30) };

describe('the record of an entry', () => {
  it('is snake_case, with times in ISO 8601 and its fields in order', () => {
    expect(recordOf({ ...outcome(3), seq: 4, at: 0 })).toBe(
      '{"action":"crm.contacts.upsert","actor":{"id":"ada","kind":"agent"},"at":"1970-01-01T00:00:00.000Z",' +
        '"cost":{"amount":3,"currency":"EUR"},"duration_ms":12.5,"error_code":null,"intent_seq":3,"kind":"outcome",' +
        '"outcome":"succeeded","policy_digest":"ab","run_id":"run-1","seq":4,"tier":2,"tokens":{"in":10,"out":20}}',
    );
  });

  it('is in the canonical form of RFC 8785, and is read back as it was', () => {
    fc.assert(
      fc.property(anyEntry, (any) => {
        const record = recordOf(any);
        expect(record).toBe(canonicalize(JSON.parse(record)));
        expect(readRecord(record)).toEqual(any);
      }),
    );
  });

  it('has no field for anything else, at any depth', () => {
    const prompt = 'Ignore what you were told';
    const smuggled = [
      { ...entry, prompt },
      { ...entry, actor: { kind: 'agent', id: 'ada', prompt } },
      { ...outcome(0), seq: 1, at: 0, tokens: { in: 1, out: 1, prompt } },
      { ...entry, facts: { 'input.text': { prompt } } },
    ];
    for (const any of smuggled) {
      // @ts-expect-error: what the compiler would not let through, a cast could
      expect(() => recordOf(any)).toThrow(InvalidInputError);
    }
  });

  it('is refused when it is read, too, where it has a field that entries do not have', () => {
    const record = JSON.parse(recordOf(entry));
    expect(readRecord(JSON.stringify(record))).toEqual(entry);
    for (const changed of [
      { ...record, prompt: 'x' },
      { ...record, runId: 'x' },
      { ...record, at: '2026-11-21' },
    ]) {
      expect(() => readRecord(JSON.stringify(changed))).toThrow(InvalidInputError);
    }
    expect(() => readRecord('no JSON')).toThrow(InvalidInputError);
  });

  it.each([
    ['a rationale of 281 characters', { rationale: 'x'.repeat(281) }],
    ['an action of 257 characters', { action: 'x'.repeat(257) }],
    ['a fact of 257 characters', { facts: { 'input.text': 'x'.repeat(257) } }],
    [
      '129 facts',
      { facts: Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`f${n}`, 1])) },
    ],
    ['half a surrogate pair', { rationale: 'half \ud83d' }],
    ['a fact that is no number', { facts: { 'input.amount': Number.NaN } }],
    ['a fact whose name would not stay in order', { facts: { 0: 1 } }],
    ['facts that say how they are written', { facts: Object.create({ toJSON: () => 'anything' }) }],
    ['facts in a list', { facts: ['input.text'] }],
    ['a fact named __proto__', { facts: JSON.parse('{"__proto__":1}') }],
    ['a reason that is no code', { reasonCode: 'because I say so' }],
  ])('cannot hold %s', (_what, changes) => {
    // @ts-expect-error: the last is no code
    expect(() => recordOf({ ...entry, ...changes })).toThrow(InvalidInputError);
  });

  it('cannot be that of an intent of tier 2 or 3 without a rationale, nor of tier 4', () => {
    const at = { seq: 0, at: 0 };
    expect(() => recordOf({ ...intent({ tier: 3, rationale: null }), ...at })).toThrow(/rationale/);
    expect(() => recordOf({ ...intent({ tier: 4 }), ...at })).toThrow(/tier 4/);
    expect(recordOf({ ...intent({ tier: 1, rationale: null }), ...at })).toContain(
      '"rationale":null',
    );
  });
});

describe('a digest of arguments', () => {
  it('is keyed: the same in one log, another in the next', async () => {
    const file = newFile();
    const [first, elsewhere] = [openLedger({ file }), openLedger({ file: ':memory:' })];
    const digest = first.digestOf({ amount: 40, to: 'ada' });
    expect(digest).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
    expect(first.digestOf({ to: 'ada', amount: 40 })).toBe(digest);
    expect(first.digestOf({ amount: 41, to: 'ada' })).not.toBe(digest);
    expect(elsewhere.digestOf({ amount: 40, to: 'ada' })).not.toBe(digest);
    await Promise.all([first.close(), elsewhere.close()]);
    await using again = openLedger({ file });
    expect(again.digestOf({ amount: 40, to: 'ada' })).toBe(digest);
  });

  it('says why there is none, whatever it is handed', async () => {
    await using ledger = openLedger({ file: ':memory:' });
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const throwing = {
      get amount(): number {
        throw new Error('no');
      },
    };
    const digests = [undefined, 1n, throwing, 'half \ud83d', Number.NaN, () => 1].map((value) =>
      ledger.digestOf(value),
    );
    expect(digests).toEqual(digests.map(() => 'none:not_json'));
    const large = [
      cyclic,
      'x'.repeat(1_000_001),
      Array.from({ length: 2_000_000 }),
      Object.assign([], { length: 1e9 }),
    ];
    expect(large.map((value) => ledger.digestOf(value))).toEqual(large.map(() => 'none:too_large'));
  });
});

describe('a rationale', () => {
  it('is kept on one line, without what cannot be seen and without secrets, at most 280 characters', async () => {
    await using ledger = openLedger({ file: ':memory:' });
    const keep = (text: string) => ledger.rationaleOf(text, { mode: 'text' });
    expect(keep('Refunds\n\u202Ethe\u200B order\u0000')).toBe('Refunds the order');
    expect(keep(' \n\u200B')).toBeNull();
    expect(keep('with password=hunter2hunter2')).not.toContain('hunter2');
    fc.assert(
      fc.property(fc.string({ unit: awkward, maxLength: 600 }), (text) => {
        const rationale = keep(text);
        if (rationale !== null) recordOf({ ...entry, rationale }); // it fits
      }),
    );
  });

  it('is only a keyed digest where that is asked for, or where it is no sentence', async () => {
    await using ledger = openLedger({ file: ':memory:' });
    const hashed = ledger.rationaleOf('Refunds the order', { mode: 'hash' });
    expect(hashed).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
    expect(ledger.rationaleOf('x'.repeat(20_000), { mode: 'text' })).toMatch(/^hmac-sha256:/);
    await ledger.write(({ append }) => append(intent({ rationale: hashed })));
    expect(auditLogOf(ledger).entry(0)).toMatchObject({ rationale: hashed });
  });
});

const awkward = fc.constantFrom(
  'a',
  'é',
  ' ',
  '\n',
  '\0',
  '\u202E',
  '\u200B',
  '\ud83d',
  '😀',
  ' token=4711 ',
);
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const maybe = fc.option(name, { nil: null });
const anyFact = fc.oneof(
  name,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  fc.boolean(),
  fc.constant(null),
);
const anyFacts = fc.dictionary(
  name.map((text) => `f.${text}`),
  anyFact,
  { noNullPrototype: true },
);
const actor = fc.record(
  { kind: fc.constantFrom('agent', 'human', 'system'), id: name, onBehalfOf: name },
  { requiredKeys: ['kind', 'id'], noNullPrototype: true },
);
const standing = { seq: fc.nat(), at: fc.nat({ max: Date.UTC(9999, 0) }) };
const anyEntry: fc.Arbitrary<AuditEntry> = fc.oneof(
  fc
    .record({ ...standing, runId: maybe, actor, action: name, rationale: maybe, facts: anyFacts })
    .map((fields) => ({
      ...refusal(),
      ...fields,
    })),
  fc
    .record({ ...standing, intentSeq: fc.nat(), actor, errorCode: maybe, durationMs: fc.nat() })
    .map((fields) => ({
      ...outcome(0),
      ...fields,
    })),
);
