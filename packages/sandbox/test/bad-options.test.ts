import { createSandbox, type Sandbox } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

/** What JavaScript lets a caller hand in, whatever the types say. */
type Untyped = (...given: readonly unknown[]) => Promise<unknown>;

async function call(sandbox: Sandbox, name: string, given: readonly unknown[]): Promise<unknown> {
  const method: unknown = Reflect.get(sandbox, name);
  if (typeof method !== 'function') throw new Error(`A sandbox has no method ${name}`);
  return Reflect.apply(method, sandbox, given);
}

function invalid(naming: string): object {
  return { code: 'CORE_INVALID_INPUT', message: expect.stringContaining(naming) };
}

const make: Untyped = (...given) => Promise.resolve(Reflect.apply(createSandbox, null, given));

describe('a run', () => {
  let sandbox: Sandbox;
  let run: Untyped;
  let resume: Untyped;
  const ended: unknown[] = [];
  beforeAll(async () => {
    sandbox = await createSandbox();
    sandbox.events.on('runEnded', (event) => ended.push(event));
    run = (...given) => call(sandbox, 'run', given);
    resume = (...given) => call(sandbox, 'resume', given);
  });
  afterAll(() => sandbox.close());

  it.each<[string, Record<string, unknown>]>([
    ['seed', { seed: Number.NaN }],
    ['seed', { seed: Infinity }],
    ['seed', { seed: 5n }],
    ['now', { now: Number.NaN }],
    ['now', { now: Infinity }],
    ['now', { now: 'x' }],
    ['now', { now: 8.64e15 + 2 }],
    ['language', { language: 'python' }],
    ['actor', { actor: 5 }],
    ['actor', { actor: { kind: 'agent' } }],
    ['signal', { signal: {} }],
    ['output', { output: { type: 'number' } }],
    ['rationale', { rationale: 5 }],
    ['runId', { runId: 5 }],
    ['idempotencyKey', { idempotencyKey: '' }],
    ['timeout', { timeout: 5 }],
  ])('is refused before it begins for a bad option, naming %s: %o', async (name, options) => {
    ended.length = 0;
    await expect(run('1', options)).rejects.toMatchObject(invalid(name));
    await expect(run('1', options)).rejects.toMatchObject(invalid('options of a run'));
    expect(ended).toEqual([]);
  });

  it.each([[null], [42], [undefined], [{}]])('is refused when its code is %o', async (code) => {
    await expect(run(code)).rejects.toMatchObject(invalid('code of a run'));
  });

  it('is refused when its options are no object', async () => {
    await expect(run('1', null)).rejects.toMatchObject(invalid('options of a run'));
    await expect(run('1', 'x')).rejects.toMatchObject(invalid('options of a run'));
  });

  it('is refused as a stream, where the first event would be', async () => {
    const events = sandbox.stream('1', JSON.parse('null'));
    await expect(events.next()).rejects.toMatchObject(invalid('options of a run'));
  });

  it('is not resumed from what is no text, or with options that resuming does not have', async () => {
    await expect(resume(null)).rejects.toMatchObject(invalid('token of a paused run'));
    await expect(resume('x', { seed: 1 })).rejects.toMatchObject(invalid('seed'));
    await expect(resume('x', null)).rejects.toMatchObject(invalid('options of resume'));
  });

  it('takes every option that there is, and none', async () => {
    expect(await sandbox.run('input')).toMatchObject({ status: 'ok', value: undefined });
    const result = await sandbox.run('input + 1', {
      input: 1,
      signal: new AbortController().signal,
      seed: 0.5,
      now: -1,
      output: z.number(),
      language: 'typescript',
      actor: { kind: 'human', id: 'ada', onBehalfOf: 'acme' },
      rationale: 'to see',
      runId: 'run',
      taskId: 'task',
      idempotencyKey: 'key',
    });
    expect(result).toMatchObject({ status: 'ok', value: 2 });
  });
});

describe('createSandbox', () => {
  it.each<[string, readonly unknown[]]>([
    ['options of createSandbox', [null]],
    ['options of createSandbox', [42]],
    ['tools', [{ tools: null }]],
    ['tools', [{ tools: [null] }]],
    ['modules', [{ modules: [{ a: 5 }] }]],
    ['modules', [{ modules: 'math' }]],
    ['violationLog', [{ violationLog: 5 }]],
    ['violationLog', [{ violationLog: {} }]],
    ['poolsize', [{ poolsize: 5 }]],
    ['ports of createSandbox', [{}, null]],
    ['clock', [{}, { clock: Date }]],
    ['random', [{}, { random: 5 }]],
  ])('refuses a bad option, naming it: %s', async (name, given) => {
    await expect(make(...given)).rejects.toMatchObject(invalid(name));
  });
});
