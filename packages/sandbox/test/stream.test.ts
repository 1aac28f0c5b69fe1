import { defineTool } from '@buddy/core';
import { createSandbox, type RunEvent, type RunResult, type Sandbox } from '@buddy/sandbox';
import { createFakeSandbox } from '@buddy/sandbox/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const add = defineTool({
  name: 'add',
  description: 'Adds.',
  tier: 1,
  effect: 'pure',
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.number(),
  execute: ({ a, b }) => a + b,
});
const aborted: string[] = [];
const wait = defineTool({
  name: 'wait',
  description: 'Waits until nobody waits for it.',
  tier: 1,
  input: z.unknown(),
  output: z.unknown(),
  execute: (_input, { signal }) =>
    new Promise((_resolve, reject) => {
      const leave = (): void => {
        aborted.push('wait');
        reject(signal.reason);
      };
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave);
    }),
});

const CODE =
  'console.log("hi"); const sum = await tools.add({ a: 1, b: 2 }); console.warn(sum); sum';
const WAITING = 'console.log("hi"); await tools.wait()';

const real = (): Promise<Sandbox> =>
  createSandbox({ tools: [add, wait], isolation: 'session', limits: { wallMs: 20_000 } });
const fake = (): Promise<Sandbox> =>
  Promise.resolve(
    createFakeSandbox(
      {
        [CODE]: async ({ log, callTool }) => {
          log('hi');
          const sum = await callTool('add', { a: 1, b: 2 });
          log(String(sum), 'warn');
          return sum;
        },
        [WAITING]: ({ log, callTool }) => {
          log('hi');
          return callTool('wait', undefined);
        },
      },
      { tools: [add, wait] },
    ),
  );

async function all<Value>(events: AsyncIterable<RunEvent<Value>>): Promise<RunEvent<Value>[]> {
  const seen: RunEvent<Value>[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

describe.each([
  ['a sandbox', real],
  ['a fake sandbox', fake],
])('the stream of %s', (_name, make) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await make();
  });
  afterAll(() => sandbox.close());

  it('yields what happens in its order, and the result at last', async () => {
    const seen = await all(sandbox.stream(CODE, { output: z.number() }));
    expectTypeOf(seen).toEqualTypeOf<RunEvent<number>[]>();
    expect(seen).toMatchObject([
      { type: 'console', level: 'log', text: 'hi' },
      { type: 'toolCallStarted', call: { tool: 'add', status: 'unanswered' } },
      { type: 'toolCallEnded', call: { tool: 'add', status: 'ok' } },
      { type: 'console', level: 'warn', text: '3' },
      { type: 'runEnded', status: 'ok', result: { status: 'ok', value: 3 } },
    ]);
    expect(new Set(seen.map(({ executionId }) => executionId)).size).toBe(1);
  });
  it('ends the run when its reader leaves, and aborts what is under way', async () => {
    aborted.length = 0;
    const results: RunResult[] = [];
    sandbox.events.on('runEnded', ({ result }) => results.push(result));
    for await (const { type } of sandbox.stream(WAITING)) {
      if (type === 'toolCallStarted') break;
    }
    sandbox.events.removeAllListeners();
    expect(aborted).toEqual(['wait']);
    expect(results).toEqual([]);
    expect(await sandbox.run(CODE)).toMatchObject({ status: 'ok', value: 3 });
  });
  it('begins nothing before its first event is asked for', async () => {
    const begun: string[] = [];
    sandbox.events.on('console', ({ text }) => begun.push(text));
    const stream = sandbox.stream(CODE);
    await sandbox.run(CODE);
    expect(begun).toEqual(['hi', '3']);
    await stream.return();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    sandbox.events.removeAllListeners();
    expect(begun).toHaveLength(2);
  });
  it('throws where a run would reject, after what had happened by then', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { type } of sandbox.stream(WAITING, { signal: controller.signal })) {
        seen.push(type);
        if (type === 'toolCallStarted') controller.abort(new Error('enough'));
      }
    })();
    await expect(reading).rejects.toThrow('enough');
    expect(seen.slice(0, 2)).toEqual(['console', 'toolCallStarted']);
  });
  it('answers readers that ask ahead, each with an event of its own', async () => {
    const stream = sandbox.stream(CODE);
    const asked = await Promise.all(Array.from({ length: 7 }, () => stream.next()));
    expect(asked.map(({ value }) => value?.type)).toEqual([
      'console',
      'toolCallStarted',
      'toolCallEnded',
      'console',
      'runEnded',
      undefined,
      undefined,
    ]);
  });
  it('lets readers that wait go when it is left', async () => {
    const stream = sandbox.stream(WAITING);
    await stream.next();
    await stream.next();
    const waiting = stream.next();
    await stream.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});

describe('the stream of a sandbox', () => {
  it('is cut off when the sandbox is closed', async () => {
    const sandbox = await real();
    const reading = (async () => {
      for await (const { type } of sandbox.stream(WAITING))
        if (type === 'toolCallStarted') void sandbox.close();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'SANDBOX_CLOSED' });
  });
  it('rejects what a run rejects, when it is read', async () => {
    await using sandbox = await createSandbox();
    const stream = sandbox.stream('1', { input: () => 1 });
    await expect(stream.next()).rejects.toMatchObject({ code: 'SANDBOX_NOT_PLAIN_DATA' });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
  it('keeps what a slow reader has not read, within the limits of the run', async () => {
    await using sandbox = await createSandbox({ limits: { maxLogLines: 50, maxViolations: 5 } });
    const stream = sandbox.stream(
      'for (let i = 0; i < 1e4; i++) console.log(i); for (let i = 0; i < 4; i++) try { fetch(i) } catch {} 1',
    );
    const first = await stream.next();
    await sandbox.run('await new Promise((done) => setTimeout(done, 50))'); // meanwhile it has ended
    const rest = await all(stream);
    expect([first.value?.type, ...rest.map(({ type }) => type)]).toEqual([
      ...Array.from({ length: 51 }, () => 'console'),
      ...Array.from({ length: 4 }, () => 'violated'),
      'runEnded',
    ]);
  });
  it('tells of its own run only, whatever runs beside it, and whenever it is left', async () => {
    await using sandbox = await createSandbox({ tools: [add], concurrency: 3 });
    const programs = fc.array(
      fc.record({
        name: fc.stringMatching(/^[a-z]{1,4}$/),
        lines: fc.nat(6),
        calls: fc.nat(4),
        readUpTo: fc.option(fc.integer({ min: 1, max: 8 })),
      }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(programs, (given) =>
        Promise.all(
          given.map(async ({ name, lines, calls, readUpTo }) => {
            const code = `for (let i = 0; i < ${lines}; i++) console.log("${name}", i); for (let i = 0; i < ${calls}; i++) await tools.add({ a: i, b: 1 }); "${name}"`;
            const seen: RunEvent[] = [];
            for await (const event of sandbox.stream(code)) {
              seen.push(event);
              if (seen.length === readUpTo) break;
            }
            const expected = [
              ...Array.from({ length: lines }, (_, i) => `${name} ${i}`),
              ...Array.from({ length: calls }, () => ['toolCallStarted', 'toolCallEnded']).flat(),
              `runEnded ${name}`,
            ];
            expect(seen.map(sayEvent)).toEqual(expected.slice(0, readUpTo ?? expected.length));
          }),
        ).then(() => undefined),
      ),
      { numRuns: 8 },
    );
    expect(await sandbox.run('1')).toMatchObject({ status: 'ok' });
  });
});

function sayEvent(event: RunEvent): string {
  switch (event.type) {
    case 'console':
      return event.text;
    case 'runEnded':
      return `runEnded ${event.result.status === 'ok' ? String(event.result.value) : event.status}`;
    case 'violated':
    case 'toolCallStarted':
    case 'toolCallEnded':
      return event.type;
  }
}

describe('a run that waits for its turn', () => {
  it('leaves the line as soon as it is aborted', async () => {
    await using sandbox = await createSandbox({ tools: [wait], concurrency: 1 });
    const first = new AbortController();
    const running = sandbox.run(WAITING, { signal: first.signal });
    const second = new AbortController();
    const queued = sandbox.run('1', { signal: second.signal });
    const third = sandbox.run('3');
    second.abort(new Error('no longer'));
    await expect(queued).rejects.toThrow('no longer');
    first.abort(new Error('done'));
    await expect(running).rejects.toThrow('done');
    expect(await third).toMatchObject({ value: 3 });
  });
});
