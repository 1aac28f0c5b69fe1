import { BuddyError, defineTool, type Tier, type Tool, type ToolContext } from '@buddy/core';
import { loadPolicy, replayPolicy } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { context, gatesWith, linesOf, OLGA, ROOT } from './gate/opening.ts';

const gates = gatesWith(`
version: 1
rules:
  - { id: writes, when: { action: crm.upsert }, tier: 2, allow: true }
  - { id: orders, when: { action: shop.order }, tier: 3, allow: true }
  - { id: no-refunds, when: { action: shop.order.undo }, approve: { from: [operator], expires: 30m } }
  - { id: mail, when: { action: mail.send }, tier: 3, allow: true }
  - { id: sent-is-sent, when: { action: mail.send.undo }, block: true }
  - { id: looks, when: { action: crm.find }, tier: 1, allow: true }
`);

class RefusedError extends BuddyError {
  readonly code = 'TEST_REFUSED';
}

/** A tool that can be taken back, and notes what was done and undone. */
function tool(name: string, tier: Tier = 2, fail?: { execute?: Error; undo?: Error }) {
  const undone: unknown[] = [];
  const made: Tool & { undo: NonNullable<Tool['undo']> } = {
    undo: async () => {},
    ...defineTool({
      name,
      description: 'Does it.',
      tier,
      input: z.object({ to: z.string() }),
      output: z.object({ id: z.string() }),
      execute: () => {
        if (fail?.execute) throw fail.execute;
        return { id: 'made-1' };
      },
      undo: async (_input, output) => {
        if (fail?.undo) throw fail.undo;
        undone.push(output);
      },
    }),
  };
  return { made, undone };
}

const to = { to: 'ada' };
const output = { id: 'made-1' };

describe('taking back what a governed tool did', () => {
  it('is decided, with intent and outcome in the log, and possible for who did it', async () => {
    const governance = await gates.open();
    const { made, undone } = tool('crm.upsert');
    const upsert = governance.govern(made);
    await upsert.execute(to, context());
    await upsert.undo(to, output, context());
    expect(undone).toEqual([output]);
    expect(linesOf(governance)).toEqual([
      'intent crm.upsert POLICY_ALLOWED',
      'succeeded crm.upsert',
      'intent crm.upsert.undo UNDO_OF_DONE',
      'succeeded crm.upsert.undo',
    ]);
    const [, intent] = governance.audit.query({}).entries;
    expect(intent).toMatchObject({ tier: 2, rationale: 'asked by the plan', rule: 'default' });
    expect(governance.coverage().executed).toEqual(governance.coverage().intents);
  });

  it("is refused with a result that it did not have, for that may be anybody's", async () => {
    const governance = await gates.open();
    const { made, undone } = tool('crm.upsert');
    const upsert = governance.govern(made);
    await upsert.execute(to, context());
    await expect(upsert.undo(to, { id: 'another' }, context())).rejects.toThrow('this result');
    expect(undone).toEqual([]);
    await upsert.undo(to, JSON.parse(JSON.stringify(output)), context());
    expect(undone).toHaveLength(1);
  });

  it('is possible with any result when nobody heard of one, as after a crash', async () => {
    const governance = await gates.open();
    const fail: { execute?: Error } = { execute: new Error('lost') };
    const { made, undone } = tool('crm.upsert', 2, fail);
    const upsert = governance.govern(made);
    await expect(upsert.execute(to, context())).rejects.toThrow('lost');
    await upsert.undo(to, { id: 'as the provider says' }, context());
    await expect(upsert.undo(to, output, context())).rejects.toThrow('denied');
    expect(undone).toHaveLength(1);
  });

  it('is refused to who has not done it, with other arguments, and a second time', async () => {
    const governance = await gates.open();
    const { made, undone } = tool('crm.upsert');
    const upsert = governance.govern(made);
    const eve = context({ actor: { kind: 'agent', id: 'eve' } });
    const refused = { code: 'CORE_TOOL_DENIED', decision: { reasonCode: 'NO_RULE_ALLOWS' } };
    await expect(upsert.undo(to, output, context())).rejects.toMatchObject(refused);
    await upsert.execute(to, context());
    await expect(upsert.undo({ to: 'bob' }, output, context())).rejects.toMatchObject(refused);
    await expect(upsert.undo(to, output, eve)).rejects.toMatchObject(refused);
    await upsert.undo(to, output, context());
    await expect(upsert.undo(to, output, context())).rejects.toMatchObject(refused);
    expect(undone).toHaveLength(1);
  });

  it('is possible as often as it was done, also after a restart, and after a try that surely failed', async () => {
    const governance = await gates.open();
    const fail: { undo?: Error } = {};
    const { made, undone } = tool('crm.upsert', 2, fail);
    const before = governance.govern(made);
    await before.execute(to, context());
    await before.execute(to, context({ idempotencyKey: 'key-2' }));
    fail.undo = new RefusedError('refused', { effect: 'none' });
    await expect(before.undo(to, output, context())).rejects.toThrow('refused');
    await governance.close();
    delete fail.undo;
    const later = await gates.open();
    const upsert = later.govern(made);
    await upsert.undo(to, output, context());
    await upsert.undo(to, output, context());
    await expect(upsert.undo(to, output, context())).rejects.toThrow('denied');
    expect(undone).toHaveLength(2);
  });

  it('happens once, however many ask for it at the same moment', async () => {
    const governance = await gates.open();
    const { made, undone } = tool('crm.upsert');
    const upsert = governance.govern(made);
    await upsert.execute(to, context());
    const undos = Array.from({ length: 20 }, () => upsert.undo(to, output, context()));
    const ended = await Promise.allSettled(undos);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(undone).toHaveLength(1);
  });

  it('is not tried again when nobody knows whether it happened', async () => {
    const governance = await gates.open();
    const fail: { undo?: Error } = { undo: new Error('lost') };
    const upsert = governance.govern(tool('crm.upsert', 2, fail).made);
    await upsert.execute(to, context());
    await expect(upsert.undo(to, output, context())).rejects.toThrow('lost');
    await expect(upsert.undo(to, output, context())).rejects.toThrow('denied');
  });

  it('is not possible while it is still being done, with whatever result', async () => {
    const governance = await gates.open();
    const { made, undone } = tool('crm.upsert');
    const begun = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    const slow: typeof made = {
      ...made,
      execute: async () => {
        begun.resolve();
        await going.promise;
        return output;
      },
    };
    const upsert = governance.govern(slow);
    const doing = upsert.execute(to, context());
    await begun.promise;
    const other = await gates.open(); // another process is no way around it
    const elsewhere = other.govern(made);
    for (const one of [upsert, elsewhere])
      for (const result of [output, { id: 'invented' }])
        await expect(one.undo(to, result, context())).rejects.toThrow('denied');
    going.resolve();
    await doing;
    expect(undone).toEqual([]);
    await elsewhere.undo(to, output, context());
  });

  it('is possible once with any result when the process ended before the call did', async () => {
    const governance = await gates.open();
    const { made, undone } = tool('crm.upsert');
    const begun = Promise.withResolvers<void>();
    const endless: typeof made = {
      ...made,
      execute: () => {
        begun.resolve();
        return new Promise(() => {});
      },
    };
    const upsert = governance.govern(endless);
    void upsert.execute(to, context());
    await begun.promise;
    await governance.close();
    const later = (await gates.open()).govern(made);
    const results = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
    const undos = results.map((result) => later.undo(to, result, context()));
    const ended = await Promise.allSettled(undos);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(undone).toHaveLength(1);
  });

  it('is not possible for what surely did not happen', async () => {
    const governance = await gates.open();
    const execute = new RefusedError('refused', { effect: 'none' });
    const upsert = governance.govern(tool('crm.upsert', 2, { execute }).made);
    await expect(upsert.execute(to, context())).rejects.toThrow('refused');
    await expect(upsert.undo(to, output, context())).rejects.toThrow('denied');
  });

  it('is no change of mind to a replay of the same policy', async () => {
    const governance = await gates.open();
    const upsert = governance.govern(tool('crm.upsert').made);
    await upsert.execute(to, context());
    await upsert.undo(to, output, context());
    const [policy] = governance.policy.history;
    if (!policy) throw new TypeError('There is no policy');
    const past = governance.audit
      .query({})
      .entries.filter((entry) => entry.kind === 'intent' || entry.kind === 'refusal');
    expect(await replayPolicy(policy, past)).toMatchObject({ total: 2, unchanged: 2, changed: [] });
  });

  it('is possible when the run was cancelled: that is when things are taken back', async () => {
    const governance = await gates.open();
    const { made, undone } = tool('crm.upsert');
    const upsert = governance.govern(made);
    await upsert.execute(to, context());
    await upsert.undo(to, output, context({ signal: AbortSignal.abort() }));
    expect(undone).toHaveLength(1);
  });

  it('stops at the kill switch', async () => {
    const governance = await gates.open();
    const { made, undone } = tool('crm.upsert');
    const upsert = governance.govern(made);
    await upsert.execute(to, context());
    await governance.killSwitch.turnOn(ROOT);
    await expect(upsert.undo(to, output, context())).rejects.toMatchObject({
      decision: { reasonCode: 'KILL_SWITCH' },
    });
    expect(undone).toEqual([]);
  });

  it('obeys the rules that speak of it: one that blocks, one that asks', async () => {
    const governance = await gates.open();
    const mail = governance.govern(tool('mail.send', 3).made);
    await mail.execute(to, context());
    await expect(mail.undo(to, output, context())).rejects.toMatchObject({
      decision: { rule: 'sent-is-sent' },
    });
    const { made, undone } = tool('shop.order', 3);
    const order = governance.govern(made);
    await order.execute(to, context());
    await expect(order.undo(to, output, context())).rejects.toThrow('approval-1');
    await governance.approvals.vote('approval-1', { by: OLGA, vote: 'approve', via: 'api' });
    // Who agreed has agreed to this result only.
    await expect(order.undo(to, { id: 'another' }, context())).rejects.toThrow('approval-2');
    await governance.approvals.vote('approval-2', { by: OLGA, vote: 'approve', via: 'api' });
    await order.undo(to, { id: 'another' }, context());
    expect(undone).toEqual([{ id: 'another' }]);
  });

  it('needs a reason, and a log that can be written, whatever the tier', async () => {
    const governance = await gates.open();
    const upsert = governance.govern(tool('crm.upsert').made);
    await upsert.execute(to, context());
    await expect(upsert.undo(to, output, context({ rationale: '' }))).rejects.toMatchObject({
      decision: { reasonCode: 'RATIONALE_MISSING' },
    });
    const { made, undone } = tool('crm.find', 1);
    const find = governance.govern(made);
    await find.execute(to, context());
    await governance.ledger.close();
    await expect(find.undo(to, output, context())).rejects.toMatchObject({
      code: 'GOVERNANCE_UNAVAILABLE',
    });
    expect(undone).toEqual([]);
  });
});

it('may be spoken of in a policy that knows all tools', () => {
  const rule = '{ id: a, when: { action: crm.upsert.undo }, block: true }';
  const text = `version: 1\nrules:\n  - ${rule}\n`;
  expect(loadPolicy(text, { source: 'p', tools: ['crm.upsert'] }).ok).toBe(true);
  expect(loadPolicy(text, { source: 'p', tools: ['crm.find'] }).ok).toBe(false);
});

/** State of its own, a getter, methods on the prototype: all that a spread copy loses. */
class Counter implements Tool<{ by: number }, number> {
  #total = 0;
  readonly description = 'Counts up.';
  readonly effect = 'once';
  readonly input = z.object({ by: z.number() });
  readonly output = z.number();
  get name() {
    return 'crm.upsert';
  }
  get tier() {
    return 2 as const;
  }
  async execute({ by }: { by: number }, _context: ToolContext) {
    return (this.#total += by);
  }
  async undo({ by }: { by: number }, _total: number, _context: ToolContext) {
    this.#total -= by;
  }
  async reconcile() {
    return { happened: true as const, output: this.#total };
  }
}

describe('a tool that is made by a class', () => {
  it('keeps undo and reconcile, with what is private to it', async () => {
    const governance = await gates.open();
    const counter = governance.govern(new Counter());
    expect(await counter.execute({ by: 3 }, context())).toBe(3);
    expect(await counter.reconcile()).toEqual({ happened: true, output: 3 });
    await counter.undo({ by: 3 }, 3, context());
    expect(await counter.reconcile()).toEqual({ happened: true, output: 0 });
    expect(linesOf(governance)).toContain('intent crm.upsert.undo UNDO_OF_DONE');
    expect(() => governance.assertCovered([counter])).not.toThrow();
  });
});
