import { defineTool, type Tool } from '@buddy/core';
import type { Governance } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ADA, context, gatesWith, OLGA } from './gate/opening.ts';

const POLICY = `
version: 1
rules:
  - { id: mail, when: { action: mail.send }, tier: 3, approve: { from: [operator], expires: 30m } }
  - { id: finds, when: { action: crm.find }, tier: 1, allow: true }
  - { id: set-by-name, when: { action: crm.set, args: { to: { equals: ada } } }, allow: true }
  - { id: set-by-place, when: { action: crm.set, args: { '1': { equals: ada } } }, allow: true }
`;
const LAX = `${POLICY}  - { id: wipes, when: { action: crm.wipe }, tier: 3, allow: true }\n`;
const gates = gatesWith(POLICY);

function tool(name: string, tier: 1 | 3 = 3) {
  const calls: unknown[] = [];
  const made: Tool = defineTool({
    name,
    description: 'Does it.',
    tier,
    input: z.object({ to: z.string() }),
    output: z.unknown(),
    execute: (input) => {
      calls.push(input);
      return 'done';
    },
  });
  return { made, calls };
}

const approve = (governance: Governance, id: string) =>
  governance.approvals.vote(id, { by: OLGA, vote: 'approve', via: 'api' });

/** What the log says of the reason with which something was done. */
function intents(governance: Governance) {
  return governance.audit
    .query({ kind: 'intent' })
    .entries.map((entry) =>
      entry.kind === 'intent' ? [entry.rationale, entry.facts['approval.rationale'] ?? null] : [],
    );
}

describe('what people agreed to', () => {
  const to = { to: 'ada@example.com' };

  it('holds for the task that they saw, and no other', async () => {
    const governance = await gates.open();
    const { made, calls } = tool('mail.send');
    const mail = governance.govern(made);
    await expect(mail.execute(to, context({ taskId: 'task-1' }))).rejects.toThrow('approval-1');
    await approve(governance, 'approval-1');
    await expect(mail.execute(to, context({ taskId: 'task-2' }))).rejects.toThrow('approval-2');
    await expect(mail.execute(to, context())).rejects.toThrow('approval-3');
    expect(calls).toEqual([]);
  });

  it('holds also when the reason is put otherwise, and the log says that it was', async () => {
    const governance = await gates.open();
    const mail = governance.govern(tool('mail.send').made);
    for (const [id, said] of [
      ['approval-1', 'asked by the plan'],
      ['approval-2', 'because I want to'],
    ] as const) {
      await expect(mail.execute(to, context())).rejects.toThrow(id);
      await approve(governance, id);
      await mail.execute(to, context({ rationale: said }));
    }
    expect(intents(governance)).toEqual([
      ['because I want to', 'not the one that people were given'],
      ['asked by the plan', null],
    ]);
    // With the request, the log has the one that they were given.
    const [, asked] = governance.audit.query({ decision: 'approve' }).entries;
    expect(asked).toMatchObject({ approvalId: 'approval-1', rationale: 'asked by the plan' });
  });

  it('is compared by digest where agents give no reasons in words', async () => {
    const governance = await gates.open({}, { agentRationale: 'hash' });
    const mail = governance.govern(tool('mail.send').made);
    await expect(mail.execute(to, context())).rejects.toThrow('approval-1');
    await approve(governance, 'approval-1');
    await mail.execute(to, context({ rationale: 'because I want to' }));
    expect(intents(governance)).toEqual([
      [expect.stringMatching(/^hmac-sha256:/), 'not the one that people were given'],
    ]);
  });
});

async function afterAnOldRun() {
  const governance = await gates.open();
  await governance.policy.load(LAX, { source: 'lax' });
  await governance.govern(tool('crm.find', 1).made).execute({ to: 'x' }, context());
  await governance.policy.load(POLICY, { source: 'strict' });
  return { governance, ...tool('crm.wipe') };
}

describe('the policy that a run froze', () => {
  it('is no way back for another who names the run', async () => {
    const { governance, made, calls } = await afterAnOldRun();
    const wipe = governance.govern(made);
    const denied = { decision: { reasonCode: 'NO_RULE_ALLOWS' } };
    for (const actor of [
      { kind: 'agent', id: 'mallory' },
      { kind: 'human', id: 'ada' },
      { ...ADA, onBehalfOf: 'mallory' },
    ] as const) {
      await expect(wipe.execute({ to: 'x' }, context({ actor }))).rejects.toMatchObject(denied);
    }
    const asked = { action: 'crm.wipe', input: {}, declaredTier: 3, runId: 'run-1' } as const;
    const mallory = { kind: 'agent', id: 'mallory' } as const;
    expect(governance.decide({ ...asked, actor: mallory }).outcome).toBe('deny');
    expect(calls).toEqual([]);
    await wipe.execute({ to: 'x' }, context()); // it is ada's run, and stays as it began
    expect(calls).toHaveLength(1);
  });

  it('is no way back by an approval either', async () => {
    const governance = await gates.open();
    const actor = { kind: 'agent', id: 'mallory' } as const;
    const asks = POLICY.replace('allow: true', 'approve: { from: [operator], expires: 30m }');
    await governance.govern(tool('crm.find', 1).made).execute({ to: 'x' }, context());
    await governance.policy.load(asks, { source: 'strict' });
    const find = governance.govern(tool('crm.find', 1).made);
    await expect(find.execute({ to: 'x' }, context({ actor }))).rejects.toThrow('approval-1');
    expect(await find.execute({ to: 'x' }, context())).toBe('done');
    const policyDigest = governance.policy.current.digest;
    expect(governance.approvals.get('approval-1')).toMatchObject({ policyDigest });
  });

  it('is not laid in by a call that was refused', async () => {
    const governance = await gates.open();
    await governance.policy.load(LAX, { source: 'lax' });
    const { made, calls } = tool('crm.wipe');
    const wipe = governance.govern(made);
    const refused = [
      governance.govern(tool('no.rule').made).execute({ to: 'x' }, context()),
      wipe.execute({ to: 'x' }, context({ rationale: '' })),
      wipe.execute({ to: 'x' }, context({ signal: AbortSignal.abort() })),
      wipe.execute({}, context()),
    ];
    for (const { status } of await Promise.allSettled(refused)) expect(status).toBe('rejected');
    await governance.policy.load(POLICY, { source: 'strict' });
    await expect(wipe.execute({ to: 'x' }, context())).rejects.toThrow('denied');
    expect(calls).toEqual([]);
  });

  it('is that of a call that waits for people, as of one that went', async () => {
    const governance = await gates.open();
    await governance.policy.load(LAX, { source: 'lax' });
    const mail = governance.govern(tool('mail.send').made);
    await expect(mail.execute({ to: 'x' }, context())).rejects.toThrow('approval-1');
    await governance.policy.load(POLICY, { source: 'strict' });
    await approve(governance, 'approval-1');
    expect(await mail.execute({ to: 'x' }, context())).toBe('done');
  });

  it('is the same after a restart, for who began it', async () => {
    const { governance, made, calls } = await afterAnOldRun();
    await governance.close();
    const later = await gates.open();
    const wipe = later.govern(made);
    await wipe.execute({ to: 'x' }, context());
    const actor = { kind: 'agent', id: 'mallory' } as const;
    await expect(wipe.execute({ to: 'x' }, context({ actor }))).rejects.toThrow('denied');
    expect(calls).toHaveLength(1);
  });

  it('is not what somebody with the database has made of it', async () => {
    const { governance, made, calls } = await afterAnOldRun();
    await governance.ledger.write(({ database }) =>
      database
        .prepare('UPDATE policies SET source = replace(source, ?, ?)')
        .run('action: crm.wipe', 'action: "crm.*"'),
    );
    await governance.close();
    const later = await gates.open();
    await expect(later.govern(made).execute({ to: 'x' }, context())).rejects.toMatchObject({
      code: 'GOVERNANCE_POLICY_NOT_LOADED',
    });
    expect(calls).toEqual([]);
  });
});

function wiped(governance: Governance) {
  const calls: unknown[][] = [];
  const wipe = governance.govern(
    async (...given: unknown[]) => {
      calls.push(given);
      return 'done';
    },
    { name: 'mail.send', tier: 3, rationale: 'asked by the plan' },
  );
  return { wipe, calls };
}

describe('a plain function', () => {
  it('is called with the arguments that people agreed to, and not with a list of them', async () => {
    const governance = await gates.open();
    const { wipe, calls } = wiped(governance);
    const ways = [['disk', 'dry-run'], [['disk', 'dry-run']], [[['disk', 'dry-run']]], [], [[]]];
    for (const [at, given] of ways.entries()) {
      await expect(wipe(...given)).rejects.toThrow(`approval-${at + 1}`);
      await approve(governance, `approval-${at + 1}`);
    }
    for (const given of ways) expect(await wipe(...given)).toBe('done');
    expect(calls).toEqual(ways);
  });

  it('shows rules the fields of a single object by their names, and others by their place', async () => {
    const governance = await gates.open();
    const named = { name: 'crm.set', tier: 3, rationale: 'asked by the plan' } as const;
    const set = governance.govern(async (..._given: unknown[]) => 'set', named);
    expect(await set({ to: 'ada' })).toBe('set');
    expect(await set('x', 'ada')).toBe('set');
    await expect(set({ to: 'eve' })).rejects.toThrow('denied');
    await expect(set('x', 'eve')).rejects.toThrow('denied');
    await expect(set(['x', 'ada'])).rejects.toThrow('denied');
  });
});
