import { defineTool } from '@buddy/core';
import { createSandbox, type RunResult, type Sandbox } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const pay = defineTool({
  name: 'pay',
  description: 'Does what cannot be taken back.',
  tier: 1,
  effect: 'once',
  input: z.object({}),
  output: z.number(),
  execute: () => Promise.resolve(7),
});
const CODE = 'await tools.pay({})';
const throws = (): never => {
  throw new Error('no such currency');
};

describe('the schema of what a run is to give', () => {
  let sandbox: Sandbox;
  const ended: RunResult['status'][] = [];
  beforeAll(async () => {
    sandbox = await createSandbox({ tools: [pay] });
    sandbox.events.on('runEnded', ({ status }) => ended.push(status));
  });
  afterAll(() => sandbox.close());

  it('may check and change the value asynchronously', async () => {
    const output = z
      .number()
      .refine((paid) => Promise.resolve(paid > 5))
      .transform((paid) => Promise.resolve(`${paid} paid`));
    expect(await sandbox.run(CODE, { output })).toMatchObject({ status: 'ok', value: '7 paid' });
  });

  it('refuses a value asynchronously', async () => {
    const output = z.number().refine((paid) => Promise.resolve(paid > 8), 'too little');
    const result = await sandbox.run(CODE, { output });
    expect(result).toMatchObject({
      status: 'error',
      error: {
        kind: 'result',
        name: 'ResultError',
        message: expect.stringContaining('too little'),
      },
      calls: [{ tool: 'pay', status: 'ok' }],
    });
  });

  it.each([
    ['a transform', z.number().transform(throws)],
    ['a refinement', z.number().refine(throws)],
    ['an asynchronous transform', z.number().transform(() => Promise.resolve().then(throws))],
  ])('makes an error of what %s throws, and tells of the end', async (_part, output) => {
    ended.length = 0;
    const result = await sandbox.run(CODE, { output });
    expect(result).toMatchObject({
      status: 'error',
      error: { kind: 'result', message: expect.stringContaining('no such currency') },
      calls: [{ tool: 'pay', status: 'ok' }],
    });
    expect(ended).toEqual(['error']);
  });
});
