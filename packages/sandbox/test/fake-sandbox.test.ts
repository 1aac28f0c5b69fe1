import { defineTool } from '@buddy/core';
import { createFakeSandbox } from '@buddy/sandbox/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const double = defineTool({
  name: 'double',
  description: 'Doubles.',
  tier: 1,
  input: z.number(),
  output: z.number(),
  execute: (n) => n * 2,
});

describe('a fake sandbox', () => {
  it('gives what was put down for a code, and remembers what it was asked', async () => {
    const sandbox = createFakeSandbox(
      { 'twice(input)': ({ input, callTool }) => callTool('double', input) },
      { tools: [double] },
    );
    const result = await sandbox.run('twice(input)', { input: 21 });
    expect(result).toMatchObject({ status: 'ok', value: 42 });
    expect(result.toModelText()).toBe('Result: 42');
    expect(sandbox.codes).toEqual(['twice(input)']);
  });
  it('gives an ending as it was put down', async () => {
    const violation = { type: 'NETWORK_ACCESS_ATTEMPT', details: 'fetch()', line: 1 } as const;
    const error = {
      kind: 'violation',
      name: 'E',
      message: 'm',
      line: 1,
      column: 1,
      frame: '',
      hint: '',
    } as const;
    const sandbox = createFakeSandbox({ 'fetch()': { status: 'violation', violation, error } });
    expect(await sandbox.run('fetch()')).toMatchObject({
      status: 'violation',
      violations: [violation],
    });
  });
  it('turns what a program throws into an error of the program', async () => {
    const sandbox = createFakeSandbox({
      oops: () => {
        throw new TypeError('oops');
      },
    });
    expect(await sandbox.run('oops')).toMatchObject({
      status: 'error',
      error: { name: 'TypeError', message: 'oops' },
    });
  });
  it('fails for a code that nothing was put down for', async () => {
    await expect(createFakeSandbox({}).run('1')).rejects.toThrow('no program for: 1');
  });
});
