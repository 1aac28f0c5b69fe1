import { BuddyError, defineTool, type Tool } from '@buddy/core';
import { type Governance, replayPolicy } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ADA, context, gatesWith } from './gate/opening.ts';

const gates = gatesWith(`
version: 1
rules:
  - { id: checks, when: { action: kyc.check }, tier: 1, allow: true }
  - { id: pay, when: { action: pay.send, after: { action: kyc.check, within: 1h } }, tier: 2, allow: true }
  - { id: reports, when: { action: report.write }, tier: 2, allow: true }
  - { id: no-report, when: { action: report.write, after: { action: kyc.check, within: 1h } }, block: true }
`);

class NotVerifiedError extends BuddyError {
  readonly code = 'TEST_NOT_VERIFIED';
}

const tool = (name: string, tier: 1 | 2, execute: () => unknown = () => 'done'): Tool =>
  defineTool({
    name,
    description: 'Does it.',
    tier,
    input: z.object({}),
    output: z.unknown(),
    execute,
  });

/** Whether what needs the check goes, and what is forbidden after it; as `[pays, reports]`. */
async function goes(governance: Governance): Promise<boolean[]> {
  const both = ['pay.send', 'report.write'].map((name) =>
    governance.govern(tool(name, 2)).execute({}, context()),
  );
  return (await Promise.allSettled(both)).map(({ status }) => status === 'fulfilled');
}

const lost = () => Promise.reject(new Error('lost'));

const check = (governance: Governance, execute?: () => unknown) =>
  governance.govern(tool('kyc.check', 1, execute)).execute({}, context());

describe('a rule that says `after`', () => {
  it('permits what comes after a success, and forbids it', async () => {
    const governance = await gates.open();
    expect(await goes(governance)).toEqual([false, true]);
    await check(governance);
    expect(await goes(governance)).toEqual([true, false]);
  });

  it.each([
    ['surely did not happen', new NotVerifiedError('no', { effect: 'none' })],
    ['ended nobody knows how', new Error('lost')],
  ])('permits nothing after what %s, and forbids all the same', async (_what, error) => {
    const governance = await gates.open();
    await expect(
      check(governance, () => {
        throw error;
      }),
    ).rejects.toThrow(error);
    expect(await goes(governance)).toEqual([false, false]);
    const pay = governance.govern(tool('pay.send', 2)).execute({}, context());
    await expect(pay).rejects.toMatchObject({ decision: { reasonCode: 'NO_RULE_ALLOWS' } });
    await check(governance);
    expect(await goes(governance)).toEqual([true, false]);
  });

  it('permits nothing after what is still under way', async () => {
    const governance = await gates.open();
    const begun = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    const checking = check(governance, async () => {
      begun.resolve();
      await going.promise;
    });
    await begun.promise;
    expect(await goes(governance)).toEqual([false, false]);
    going.resolve();
    await checking;
    expect(await goes(governance)).toEqual([true, false]);
  });

  it('tells a success from a failure also of what is done while nothing can be logged', async () => {
    const governance = await gates.open();
    const limitPages = (most: number) =>
      governance.ledger.read((database) => database.exec(`PRAGMA max_page_count = ${most}`));
    const asked = { action: 'pay.send', input: {}, actor: ADA, declaredTier: 2 } as const;
    const messages: string[] = [];
    governance.events.on('logUnavailable', ({ message }) => messages.push(message));
    limitPages(1);
    for (let n = 0; n < 200 && messages.length === 0; n += 1)
      await check(governance, lost).catch(() => undefined);
    expect(messages).not.toEqual([]);
    expect(governance.decide(asked).outcome).toBe('deny');
    await check(governance);
    expect(governance.decide(asked).outcome).toBe('allow');
    limitPages(1_000_000);
    expect(await goes(governance)).toEqual([true, false]);
  });

  it('knows both after a restart', async () => {
    const governance = await gates.open();
    await check(governance);
    await governance.close();
    expect(await goes(await gates.open())).toEqual([true, false]);
  });

  it('says why it does not permit yet, and a replay of the same policy says the same', async () => {
    const governance = await gates.open();
    await check(governance, lost).catch(() => undefined);
    await goes(governance);
    const entries = governance.audit.query({}).entries;
    const past = entries.filter((entry) => entry.kind === 'intent' || entry.kind === 'refusal');
    expect(past[0]?.facts).toMatchObject({ 'history: kyc.check within 3600000 ms': 'begun' });
    const [policy] = governance.policy.history;
    if (!policy) throw new TypeError('There is no policy');
    expect(await replayPolicy(policy, past)).toMatchObject({ changed: [], unknown: [] });
    const pay = governance.decide({ action: 'pay.send', input: {}, actor: ADA, declaredTier: 2 });
    expect(pay.explanation).toContain('is not known to have succeeded');
  });
});
