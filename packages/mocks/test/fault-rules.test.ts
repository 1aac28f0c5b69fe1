import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ManualClock } from '@buddy/core';
import { FAULT_PROFILES, FaultRule, type Faults, SEED_FAULTS } from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { impatientClock } from './notes/impatient-clock.ts';
import { createNotesMock, type NotesMock } from './notes/notes-mock.ts';
import { inProcess } from './notes/ways.ts';

vi.setConfig({ testTimeout: 60_000 }); // sockets and thousands of calls, on a machine that may be busy

const ANY = { operation: '*' } as const;
const FAIL = { match: ANY, kind: 'status', status: 503 } as const;

describe('a fault rule strikes', () => {
  it.each<[string, FaultRule['when'], number[]]>([
    ['the nth call', { nth: 3 }, [3]],
    ['several calls', { nth: [2, 5, 6] }, [2, 5, 6]],
    ['every nth call', { every: 4 }, [4, 8, 12]],
    ['a burst of calls', { burst: { from: 5, to: 7 } }, [5, 6, 7]],
    ['by a script, whose end lets pass', { script: ['pass', 'strike', 'pass', 'strike'] }, [2, 4]],
    ['never', { rate: 0 }, []],
    ['always', { rate: 1 }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
  ])('%s', async (_name, when, struck) => {
    const mock = createNotesMock({ faults: [{ ...FAIL, when }] });
    const { call } = await inProcess.open(mock);
    const failed: number[] = [];
    for (let n = 1; n <= 12; n += 1) {
      const { status } = await call({ method: 'GET', path: '/notes' });
      if (status === 503) failed.push(n);
    }
    expect(failed).toEqual(struck);
  });

  it('the calls that begin within a window of time, its end not included', async () => {
    const clock = new ManualClock(5_000);
    const faults = [{ ...FAIL, when: { window: { fromMs: 1_000, toMs: 3_000 } } }];
    const mock = createNotesMock({ faults }, clock);
    const { call } = await inProcess.open(mock);
    const at = async (ms: number) => {
      await clock.advance(5_000 + ms - clock.now());
      return (await call({ method: 'GET', path: '/notes' })).status;
    };
    expect([await at(999), await at(1_000), await at(2_999), await at(3_000)]).toEqual([
      200, 503, 503, 200,
    ]);
    mock.reset();
    expect([await at(3_999), await at(4_000)]).toEqual([200, 503]); // counted from the reset
  });

  it('by rates that share one draw: they add up, and no kind takes from another', async () => {
    const kinds = ['reset', 'truncate', 'commitThenFail', 'staleRead'] as const;
    const rules = kinds.map((kind) => ({ match: ANY, kind, when: { rate: 0.1 } }));
    const all = await faultsOf([...rules, { ...FAIL, when: { rate: 0.6 } }]);
    expect(all).toHaveLength(2_000); // together they are 1, so every call is struck
    for (const [at, rule] of rules.entries()) {
      // Alone, with nothing of the same share before it but what is never seen, a rule strikes the very same calls.
      const blanks = Array.from({ length: at }, () => ({
        match: ANY,
        kind: 'latency' as const,
        addMs: 0,
        when: { rate: 0.1 },
      }));
      const alone = await faultsOf([...blanks, rule]);
      const mine = alone.filter(({ kind }) => kind === rule.kind);
      expect(mine).toEqual(all.filter(({ kind }) => kind === rule.kind));
      expect(mine.length / 2_000).toBeCloseTo(0.1, 1);
    }
  });

  it('first when it says which call, then by rate', async () => {
    const drawn = { ...FAIL, when: { rate: 1 } };
    const named = { match: ANY, kind: 'reset', when: { nth: 2 } } as const;
    const faults = await faultsOf([drawn, named], 3);
    expect(faults.map(({ kind }) => kind)).toEqual(['status', 'reset', 'status']);
  });

  it('the same calls whatever else is called, and however many at once', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fc.constantFrom('GET /notes', 'POST /notes', 'GET /notes/1'), { maxLength: 40 }),
        async (seed, calls) => {
          const inTurn = await journalFaults(seed, calls, false);
          const atOnce = await journalFaults(seed, calls, true);
          const alone = await journalFaults(
            seed,
            calls.filter((call) => call === 'GET /notes'),
            false,
          );
          expect(atOnce).toEqual(inTurn);
          expect(inTurn['notes.list'] ?? {}).toEqual(alone['notes.list'] ?? {});
        },
      ),
      { numRuns: 40 },
    ));
});

describe('fault rules', () => {
  it.each<[string, unknown, string]>([
    [
      'a kind that there is not',
      [{ ...FAIL, kind: 'explode', when: { rate: 1 } }],
      '0.kind: must be one of status, latency, reset, hang, truncate, slowBody, commitThenFail, staleRead',
    ],
    [
      'a status that no provider answers',
      [{ ...FAIL, status: 418, when: { rate: 1 } }],
      '0.status: must be one of 400, 401',
    ],
    [
      'no condition',
      [{ ...FAIL, when: {} }],
      'must hold exactly one of rate, nth, every, burst, window, script\n  → at [0].when',
    ],
    ['two conditions', [{ ...FAIL, when: { rate: 0.5, nth: 1 } }], 'must hold exactly one of rate'],
    [
      'a call number of 0',
      [{ ...FAIL, when: { nth: 0 } }],
      'expected number to be >0\n  → at [0].when.nth',
    ],
    [
      'a burst that ends before it begins',
      [{ ...FAIL, when: { burst: { from: 3, to: 2 } } }],
      'must not end before it begins\n  → at [0].when.burst',
    ],
    [
      'a window without a length',
      [{ ...FAIL, when: { window: { fromMs: 1, toMs: 1 } } }],
      'must end after it begins\n  → at [0].when.window',
    ],
    [
      'a wait of more than a day',
      [{ ...FAIL, retryAfterMs: 1e300, when: { rate: 1 } }],
      'to be <=86400000\n  → at [0].retryAfterMs',
    ],
    [
      'a delay of more than a day',
      [{ match: ANY, kind: 'latency', addMs: 1e16, when: { rate: 1 } }],
      'to be <=86400000\n  → at [0].addMs',
    ],
    ['a misspelt field', [{ ...FAIL, retryAfter: 3, when: { rate: 1 } }], 'retryAfter'],
    [
      'a field of another kind',
      [{ match: ANY, kind: 'reset', addMs: 3, when: { rate: 1 } }],
      'addMs',
    ],
    [
      'an unknown profile',
      'hurricane',
      'must be one of none, seed, flaky, storm, down, real-limits, or a list of fault rules',
    ],
  ])('are refused with %s', (_name, faults, complaint) => {
    const { faults: control } = createNotesMock();
    // @ts-expect-error: what a file may hold
    const use = () => control.use(faults);
    expect(use).toThrow(complaint);
    expect(control.rules).toEqual([]);
  });

  it('can be replaced while a mock is at work; a reset brings back the first', async () => {
    const mock = createNotesMock({ faults: [{ ...FAIL, when: { rate: 1 } }] });
    const { call } = await inProcess.open(mock);
    const status = async () => (await call({ method: 'GET', path: '/notes' })).status;
    expect(await status()).toBe(503);
    mock.faults.use('none');
    expect(await status()).toBe(200);
    mock.reset();
    expect(await status()).toBe(503);
  });
});

describe('the rules in force', () => {
  it.each<[string, Faults]>([
    ['a profile', 'storm'],
    ['a list', [{ ...FAIL, when: { nth: [1, 2] } }]],
  ])('of %s can be changed by nobody, here or in another mock', (_what, faults) => {
    const first = createNotesMock({ faults });
    const second = createNotesMock();
    second.faults.use(faults);
    const before = structuredClone(first.faults.rules);
    for (const { faults: control } of [first, second]) {
      for (const rule of control.rules) {
        expect(() => Object.assign(rule.when, { rate: 1 })).toThrow(TypeError);
        expect(() => Object.assign(rule.match, { operation: 'x' })).toThrow(TypeError);
        expect(() => Object.assign(rule, { kind: 'reset' })).toThrow(TypeError);
        expect(() => Object.assign(control.rules, [rule, rule])).toThrow(TypeError);
      }
      expect(control.rules).toEqual(before);
    }
  });

  it('leave the list that they were made of as it was', () => {
    const faults: FaultRule[] = [{ ...FAIL, when: { rate: 0.5 } }];
    const { faults: control } = createNotesMock({ faults });
    faults.push({ ...FAIL, when: { rate: 0.1 } });
    expect(control.rules).toHaveLength(1);
  });

  it('of the profile seed, as it is exported, can be changed by nobody', () => {
    for (const { when } of SEED_FAULTS) {
      expect(() => Object.assign(when, { rate: 1 })).toThrow(TypeError);
    }
  });
});

describe('a profile of faults', () => {
  it.each(FAULT_PROFILES)('%s holds rules that could be written in a file', (profile) => {
    const { faults } = createNotesMock();
    if (profile !== 'seed') faults.use(profile); // whose rules name operations that notes do not have
    for (const rule of faults.rules) expect(FaultRule.parse(rule)).toEqual(rule);
  });

  it.each([
    ['none', 0],
    ['real-limits', 0],
    ['flaky', 0.11],
    ['storm', 0.52],
    ['down', 1],
  ] as const)('%s strikes its share of the calls', async (profile, share) => {
    const options = { seed: 3, faults: profile, earlyRetries: 'allowed' } as const;
    const mock = createNotesMock(options, impatientClock());
    const { call } = await inProcess.open(mock);
    for (let n = 0; n < 2_000; n += 1) await call({ method: 'GET', path: '/notes' });
    const struck = mock.journal.entries().filter(({ fault }) => fault !== undefined).length;
    expect(Math.abs(struck / 2_000 - share)).toBeLessThan(0.03);
  });

  it('real-limits tells the provider to enforce its own', async () => {
    const mock = createNotesMock({ faults: 'real-limits' });
    const { call } = await inProcess.open(mock);
    await call({ method: 'GET', path: '/notes' });
    mock.faults.use('none');
    await call({ method: 'GET', path: '/notes' });
    expect(mock.calls.map(({ areLimitsEnforced }) => areLimitsEnforced)).toEqual([true, false]);
  });
});

describe('who was told to wait', () => {
  const faults = [
    { match: ANY, kind: 'status', status: 429, retryAfterMs: 2_000, when: { nth: 1 } } as const,
  ];

  it('is throttled again before that, for as long as is left, and served afterwards', async () => {
    const clock = new ManualClock();
    const mock = createNotesMock({ faults }, clock);
    const { call } = await inProcess.open(mock);
    const list = async () => {
      const { status, headers } = await call({ method: 'GET', path: '/notes' });
      return { status, wait: headers?.['retry-after'] };
    };
    expect(await list()).toEqual({ status: 429, wait: '2' });
    await clock.advance(500);
    expect(await list()).toEqual({ status: 429, wait: '1.5' });
    await clock.advance(1_500);
    expect(await list()).toEqual({ status: 200 });
    expect(mock.journal.entries().map(({ isEarlyRetry = false }) => isEarlyRetry)).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('may ask for something else: many share a client, each with work of its own', async () => {
    const ofLists = faults.map((rule) => ({ ...rule, match: { operation: 'notes.list' } }));
    const ask = askOf(createNotesMock({ faults: ofLists }, new ManualClock()));
    expect(await ask('ada', '/notes?a=1')).toBe(429);
    expect(await ask('ada', '/notes?a=2')).toBe(200);
    expect(await ask('ada', '/notes?a=1')).toBe(429);
    expect(await ask('ada', '/notes/note-1')).toBe(404);
  });

  it('keeps nobody else waiting', async () => {
    const ask = askOf(createNotesMock({ faults }, new ManualClock()));
    expect(await ask('ada')).toBe(429);
    expect(await ask('bob')).toBe(200);
    expect(await ask(undefined)).toBe(200);
    expect(await ask('ada')).toBe(429);
  });

  it('is known by the request alone when it names nobody', async () => {
    const ask = askOf(createNotesMock({ faults }, new ManualClock()));
    expect(await ask(undefined, '/notes?a=1')).toBe(429);
    expect(await ask(undefined, '/notes?a=2')).toBe(200);
    expect(await ask(undefined, '/notes?a=1')).toBe(429);
  });

  it('costs no memory for what it sent, however long that was', async () => {
    const always = [{ ...FAIL, status: 429, when: { rate: 1 } } as const];
    const mock = createNotesMock({ faults: always, journalSize: 0 }, new ManualClock());
    const { call } = await inProcess.open(mock);
    const before = heapUsed();
    for (let n = 0; n < 100; n += 1) {
      const text = `${n} ${'x'.repeat(2 ** 20)}`;
      expect(await call({ method: 'POST', path: '/notes', body: { text } })).toMatchObject({
        status: 429,
      });
    }
    expect(heapUsed() - before).toBeLessThan(30 * 2 ** 20); // of 100 MB that were sent
  });

  it('is served at once when early retries are allowed', async () => {
    const mock = createNotesMock({ faults, earlyRetries: 'allowed' }, new ManualClock());
    const { call } = await inProcess.open(mock);
    await call({ method: 'GET', path: '/notes' });
    expect(await call({ method: 'GET', path: '/notes' })).toMatchObject({ status: 200 });
  });
});

describe('a stale read', () => {
  it('misses the latest write, once', async () => {
    const rule = { match: ANY, kind: 'staleRead', when: { nth: 1 } } as const;
    const { call } = await inProcess.open(createNotesMock({ faults: [rule] }));
    await call({ method: 'POST', path: '/notes', body: { text: 'milk' } });
    expect(await call({ method: 'GET', path: '/notes' })).toMatchObject({ body: { notes: [] } });
    expect(await call({ method: 'GET', path: '/notes' })).toMatchObject({
      body: { notes: [{ text: 'milk' }] },
    });
  });
});

describe('a snapshot of a mock', () => {
  it('brings back state, counts of calls and rules, and with them what comes next', async () => {
    const options = { seed: 5, faults: 'flaky', earlyRetries: 'allowed' } as const;
    const mock = createNotesMock(options, impatientClock());
    const { call } = await inProcess.open(mock);
    await call({ method: 'POST', path: '/notes', body: { text: 'milk' } });
    const snapshot: unknown = JSON.parse(JSON.stringify(mock.snapshot()));
    const first = await statusesOf(mock, 100);
    mock.faults.use('down');
    await call({ method: 'POST', path: '/notes', body: { text: 'bread' } });
    mock.restore(snapshot);
    expect(await statusesOf(mock, 100)).toEqual(first);
  });

  it('of something else is refused, and leaves all as it was', async () => {
    const mock = createNotesMock();
    const { call } = await inProcess.open(mock);
    await call({ method: 'POST', path: '/notes', body: { text: 'milk' } });
    const before = mock.snapshot();
    expect(() =>
      mock.restore({ provider: 'gohighlevel', calls: {}, faults: 'none', sinceMs: 0 }),
    ).toThrow('Invalid snapshot of a mployer mock');
    expect(mock.snapshot()).toEqual(before);
  });
});

/** What is answered to somebody, in statuses. */
function askOf({ fetch }: NotesMock) {
  return async (token: string | undefined, path = '/notes'): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(new Request(`https://api.mployer.example${path}`, { headers }))).status;
  };
}

function heapUsed(): number {
  // Without it what nobody holds any more would count as well.
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

/** The faults of so many calls, those without one left out. */
async function faultsOf(faults: FaultRule[], calls = 2_000) {
  const mock = createNotesMock({ seed: 11, faults, earlyRetries: 'allowed' });
  const { call } = await inProcess.open(mock);
  for (let n = 0; n < calls; n += 1) await call({ method: 'GET', path: '/notes' });
  return mock.journal.entries().flatMap(({ n, fault }) => (fault ? { n, kind: fault.kind } : []));
}

/** What befell each call, by operation and number. */
async function journalFaults(seed: number, calls: readonly string[], areAtOnce: boolean) {
  const clock = new ManualClock();
  const faults: FaultRule[] = [
    { ...FAIL, when: { rate: 0.3 } },
    { match: ANY, kind: 'commitThenFail', when: { rate: 0.3 } },
  ];
  const mock = createNotesMock({ seed, faults, latency: 'typical' }, clock);
  const { call } = await inProcess.open(mock);
  const send = (line: string) => {
    const [method = '', path = ''] = line.split(' ');
    return call({ method, path, ...(method === 'POST' && { body: { text: 'x' } }) });
  };
  await clock.run(async () => {
    if (areAtOnce) await Promise.all(calls.map(send));
    else for (const line of calls) await send(line);
  });
  const byOperation: Record<string, Record<number, string>> = {};
  for (const { operation, n, fault } of mock.journal.entries()) {
    (byOperation[operation] ??= {})[n] = fault?.kind ?? 'none';
  }
  return byOperation;
}

async function statusesOf(mock: NotesMock, calls: number) {
  const { call } = await inProcess.open(mock);
  const seen: unknown[] = [];
  for (let n = 0; n < calls; n += 1) seen.push(await call({ method: 'GET', path: '/notes' }));
  return seen;
}
