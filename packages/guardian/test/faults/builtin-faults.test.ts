import { builtinFaults, capabilities, defineFault } from '@buddy/guardian/faults';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const known = await capabilities();
const missing = Object.entries(known).flatMap(([kind, capability]) =>
  capability.is === 'unavailable' ? [`${kind} (${capability.reason})`] : [],
);
// In the title, so that every run says what it could not try.
const skipped = missing.length === 0 ? 'none' : `${missing.length}: ${missing.join('; ')}`;

describe('the built-in faults', () => {
  it(`say whether this machine can have them; it cannot have ${skipped}`, () => {
    expect(Object.keys(known).toSorted()).toEqual(builtinFaults.map(({ kind }) => kind).toSorted());
    expect(missing.length).toBeLessThan(builtinFaults.length);
  });

  it('have kinds of their own, a description and caps', () => {
    expect(new Set(builtinFaults.map(({ kind }) => kind)).size).toBe(builtinFaults.length);
    for (const { description, caps } of builtinFaults) {
      expect(description).toMatch(/^[A-Z].*\.$/);
      expect(caps.seconds).toBeLessThanOrEqual(600);
      expect(caps.bytes).toBeLessThanOrEqual(1_073_741_824);
    }
  });

  it('take no note that is not theirs', async () => {
    const { signal } = new AbortController();
    for (const fault of builtinFaults) {
      const recovered = fault.recover({ of: 'another' }, signal);
      await expect(recovered).rejects.toThrow(`note of the fault ${fault.kind}`);
    }
  });
});

describe('defineFault', () => {
  const face = {
    kind: 'nothing',
    description: 'Nothing is broken.',
    options: z.strictObject({ path: z.string() }),
    note: z.null(),
    caps: { seconds: 1, bytes: 0 },
    capability: () => ({ is: 'available' }) as const,
    open: async () => ({
      note: null,
      isPresent: async () => false,
      apply: async () => undefined,
      revert: async () => undefined,
    }),
    recover: async () => undefined,
  };
  const tools = { scratch: '', takeBytes: () => undefined };

  it('refuses a fault without a name or a cap', () => {
    expect(defineFault(face).kind).toBe('nothing');
    expect(() => defineFault({ ...face, kind: 'No Name' })).toThrow('must read like fileRemove');
    expect(() => defineFault({ ...face, caps: { seconds: Infinity, bytes: 0 } })).toThrow(
      'seconds',
    );
    expect(() => defineFault({ ...face, caps: { seconds: 0, bytes: -1 } })).toThrow('bytes');
    expect(() => defineFault({ ...face, lasting: '' })).toThrow('lasting');
  });

  it('checks options where they come in', async () => {
    const fault = defineFault(face);
    await expect(fault.open({ path: 'a' }, tools)).resolves.toMatchObject({ note: null });
    // @ts-expect-error: a misspelt option
    await expect(fault.open({ pth: 'a' }, tools)).rejects.toThrow('options of the fault nothing');
  });
});
