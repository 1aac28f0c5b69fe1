import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Actor,
  BuddyError,
  countingId,
  defineTool,
  isGoverned,
  ManualClock,
  type Tier,
  toolContext,
} from '@buddy/core';
import { createGovernance, type Governance, type GovernancePorts } from '@buddy/governance';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const ADA: Actor = { kind: 'agent', id: 'ada' };
const OPERATOR = { id: 'olga', role: 'operator' } as const;

const POLICY = `
version: 1
rules:
  - id: reads
    when: { action: crm.contacts.find }
    allow: true
  - id: writes
    when: { action: crm.contacts.update }
    allow: true
    limit: { calls: 2, per: 1h, by: agent }
  - id: mail
    when: { action: mail.send }
    approve: { from: [operator], expires: 30m }
  - id: no-leak
    when: { action: files.upload, after: { action: crm.contacts.find, within: 1h } }
    block: true
  - id: uploads
    when: { action: files.upload }
    allow: true
`;

class LostAnswerError extends BuddyError {
  readonly code = 'TEST_LOST_ANSWER';
}

let folder: string;
let open: Governance[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-'));
  await writeFile(join(folder, 'policy.yaml'), POLICY);
  open = [];
});
afterEach(async () => {
  for (const governance of open) await governance.close();
  await rm(folder, { recursive: true, force: true });
});

async function openGate(ports: GovernancePorts = {}): Promise<Governance> {
  const governance = await createGovernance(
    {
      policy: join(folder, 'policy.yaml'),
      database: join(folder, 'governance.db'),
      followPolicy: false,
    },
    { newId: countingId('approval'), ...ports },
  );
  open.push(governance);
  return governance;
}

/** A tool that notes what it was called with. */
function tool(name: string, tier: Tier, fail?: () => Error) {
  const calls: unknown[] = [];
  const made = defineTool({
    name,
    description: 'Does it.',
    tier,
    input: z.object({ to: z.string() }),
    output: z.object({ done: z.boolean() }),
    execute: (input) => {
      calls.push(input);
      if (fail) throw fail();
      return { done: true };
    },
  });
  return { made, calls };
}

const context = (key = 'key-1', runId = 'run-1') =>
  toolContext({ actor: ADA, rationale: 'asked by the plan', idempotencyKey: key, runId });

describe('a governed tool', () => {
  it('does what the policy allows, with intent and outcome in the log', async () => {
    const governance = await openGate();
    const { made, calls } = tool('crm.contacts.update', 2);
    const governed = governance.govern(made);
    expect(isGoverned(governed)).toBe(true);
    await expect(governed.execute({ to: 'ada' }, context())).resolves.toEqual({ done: true });
    expect(calls).toEqual([{ to: 'ada' }]);
    const { entries } = governance.audit.query({});
    expect(entries.map(({ kind }) => kind)).toEqual(['outcome', 'intent', 'policy']);
    expect(entries[1]).toMatchObject({
      actor: ADA,
      action: 'crm.contacts.update',
      tier: 2,
      rule: 'writes',
      rationale: 'asked by the plan',
      runId: 'run-1',
    });
    expect(entries[0]).toMatchObject({ outcome: 'succeeded', intentSeq: entries[1]?.seq });
    expect(governance.coverage()).toEqual({
      executed: { 1: 0, 2: 1, 3: 0 },
      intents: { 1: 0, 2: 1, 3: 0 },
    });
  });

  it('throws what core promises when no rule allows it, and does nothing', async () => {
    const governance = await openGate();
    const { made, calls } = tool('crm.contacts.delete', 2);
    await expect(governance.govern(made).execute({ to: 'ada' }, context())).rejects.toMatchObject({
      code: 'CORE_TOOL_DENIED',
      decision: { outcome: 'deny', reasonCode: 'NO_RULE_ALLOWS' },
    });
    expect(calls).toEqual([]);
    expect(governance.audit.query({ decision: 'deny' }).entries).toHaveLength(1);
  });

  it('waits for a person where the policy says so, and goes on with the same key', async () => {
    const governance = await openGate();
    const { made, calls } = tool('mail.send', 3);
    const governed = governance.govern(made);
    await expect(governed.execute({ to: 'ada' }, context())).rejects.toMatchObject({
      code: 'CORE_APPROVAL_REQUIRED',
      approvalId: 'approval-1',
    });
    await expect(governed.execute({ to: 'ada' }, context())).rejects.toMatchObject({
      approvalId: 'approval-1',
    });
    await governance.approvals.vote('approval-1', { by: OPERATOR, vote: 'approve', via: 'api' });
    await governed.execute({ to: 'ada' }, context());
    expect(calls).toHaveLength(1);
    // Once: the next call is another request.
    await expect(governed.execute({ to: 'ada' }, context())).rejects.toMatchObject({
      approvalId: 'approval-2',
    });
    expect(calls).toHaveLength(1);
  });

  it('is denied when the person said no', async () => {
    const governance = await openGate();
    const { made, calls } = tool('mail.send', 3);
    const governed = governance.govern(made);
    await expect(governed.execute({ to: 'ada' }, context())).rejects.toThrow('approval-1');
    await governance.approvals.vote('approval-1', { by: OPERATOR, vote: 'deny', via: 'api' });
    await expect(governed.execute({ to: 'ada' }, context())).rejects.toMatchObject({
      code: 'CORE_TOOL_DENIED',
      decision: { reasonCode: 'APPROVAL_DENIED' },
    });
    expect(calls).toEqual([]);
  });

  it('stays within a limit, however many call at once', async () => {
    const governance = await openGate();
    const { made, calls } = tool('crm.contacts.update', 2);
    const governed = governance.govern(made);
    const tries = Array.from({ length: 10 }, (_, at) =>
      governed.execute({ to: `${at}` }, context(`key-${at}`)).then(
        () => 'done',
        (error: { decision: { reasonCode: string } }) => error.decision.reasonCode,
      ),
    );
    const ends = await Promise.all(tries);
    expect(ends.filter((end) => end === 'done')).toHaveLength(2);
    expect(ends.filter((end) => end === 'LIMIT_REACHED')).toHaveLength(8);
    expect(calls).toHaveLength(2);
  });

  it('gives a budget back when the call surely did not happen, and keeps it when it may have', async () => {
    const governance = await openGate();
    let error = new LostAnswerError('refused', { effect: 'none' });
    const { made } = tool('crm.contacts.update', 2, () => error);
    const governed = governance.govern(made);
    for (let at = 0; at < 3; at += 1)
      await expect(governed.execute({ to: 'ada' }, context())).rejects.toThrow('refused');
    error = new LostAnswerError('lost', { effect: 'unknown' });
    for (let at = 0; at < 2; at += 1)
      await expect(governed.execute({ to: 'ada' }, context())).rejects.toThrow('lost');
    await expect(governed.execute({ to: 'ada' }, context())).rejects.toMatchObject({
      decision: { reasonCode: 'LIMIT_REACHED' },
    });
    const outcomes = governance.audit.query({ kind: 'outcome' }).entries;
    expect(outcomes.map((entry) => (entry.kind === 'outcome' ? entry.outcome : ''))).toEqual([
      'unknown',
      'unknown',
      'failed',
      'failed',
      'failed',
    ]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no usage here');
      },
    ],
    ['gives what is no usage', () => ({ tokens: { in: Number.NaN, out: -1 } })],
  ])('records the outcome all the same when usageOf %s', async (_what, usageOf) => {
    const governance = await openGate({ usageOf });
    const told: string[] = [];
    governance.events.on('usageUnreadable', ({ message }) => told.push(message));
    const { made } = tool('crm.contacts.find', 1);
    await expect(governance.govern(made).execute({ to: 'a' }, context())).resolves.toEqual({
      done: true,
    });
    expect(told).toHaveLength(1);
    expect(governance.audit.query({ kind: 'outcome' }).entries).toMatchObject([
      { outcome: 'succeeded', tokens: null, cost: null },
    ]);
  });

  it('keeps of an error no more than its code, and only where that is a name', async () => {
    const governance = await openGate();
    const secret = 'the prompt said: pay 900 to mallory';
    for (const code of [secret, '', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'E_FINE']) {
      const { made } = tool('crm.contacts.find', 1, () =>
        Object.assign(new Error(secret), { code }),
      );
      await expect(governance.govern(made).execute({ to: 'a' }, context())).rejects.toThrow(secret);
    }
    const outcomes = governance.audit.query({ kind: 'outcome' }).entries;
    expect(outcomes.map((entry) => (entry.kind === 'outcome' ? entry.errorCode : ''))).toEqual([
      'E_FINE',
      'UNKNOWN',
      'UNKNOWN',
      'UNKNOWN',
    ]);
  });

  it('keeps no text of arguments that the policy does not have itself, whatever a rule looked at', async () => {
    const rule =
      '  - { id: look, when: { action: x.y, args: { to: { in: [ada] } } }, allow: true }\n';
    await writeFile(join(folder, 'policy.yaml'), `${POLICY}${rule}`);
    const governance = await openGate();
    const governed = governance.govern(tool('x.y', 1).made);
    await governed.execute({ to: 'ada' }, context());
    const prompt = 'jane asked me to keep this to myself';
    await expect(governed.execute({ to: prompt }, context())).rejects.toThrow('denied');
    const [refusal, , intent] = governance.audit.query({ action: 'x.y' }).entries;
    expect(intent).toMatchObject({ kind: 'intent', facts: { 'input.to': 'ada' } });
    expect(refusal).toMatchObject({
      kind: 'refusal',
      facts: { 'input.to': `[text of ${prompt.length} characters]` },
    });
  });

  it('denies, and says so in the log, when an actor has more requests than people can read', async () => {
    const governance = await openGate({ approvals: { maxPendingPerActor: 1 } });
    const mail = governance.govern(tool('mail.send', 3).made);
    await expect(mail.execute({ to: 'a' }, context('key-1'))).rejects.toThrow('approval-1');
    await expect(mail.execute({ to: 'b' }, context('key-2'))).rejects.toMatchObject({
      decision: { reasonCode: 'LIMIT_REACHED' },
    });
    expect(governance.audit.query({ decision: 'deny' }).entries).toHaveLength(1);
  });

  it('asks again for a plain function whose request has expired, and never for one that was denied', async () => {
    const clock = new ManualClock();
    const governance = await openGate({ clock });
    const send = governance.govern(async (_to: string) => 'sent', {
      name: 'mail.send',
      tier: 3,
      rationale: 'asked by the plan',
    });
    await expect(send('ada')).rejects.toThrow('approval-1');
    await clock.advance(2 * 3_600_000);
    await expect(send('ada')).rejects.toThrow('approval-2');
    await governance.approvals.vote('approval-2', { by: OPERATOR, vote: 'deny', via: 'api' });
    for (let times = 0; times < 2; times += 1)
      await expect(send('ada')).rejects.toMatchObject({
        decision: { reasonCode: 'APPROVAL_DENIED' },
      });
  });

  it('opens no fast approval outside dev mode, and no dev mode in production', async () => {
    const governance = await openGate();
    const fast = { mode: 'dev', environment: {}, host: 'localhost', ttlMs: 1_000, by: OPERATOR };
    await expect(governance.approvals.openFastApproval(fast)).rejects.toMatchObject({
      code: 'GOVERNANCE_FAST_APPROVAL_REFUSED',
    });
    const files = { policy: join(folder, 'policy.yaml'), database: ':memory:' };
    await expect(
      createGovernance({ ...files, mode: 'dev' }, { environment: { NODE_ENV: 'production' } }),
    ).rejects.toMatchObject({ code: 'GOVERNANCE_FAST_APPROVAL_REFUSED' });
  });

  it('does nothing while the kill switch is on, whatever the policy says', async () => {
    const governance = await openGate();
    const { made, calls } = tool('crm.contacts.find', 1);
    const governed = governance.govern(made);
    await governance.killSwitch.turnOn({ id: 'root', role: 'admin' });
    await expect(governed.execute({ to: 'ada' }, context())).rejects.toMatchObject({
      decision: { reasonCode: 'KILL_SWITCH' },
    });
    await governance.killSwitch.turnOff({ id: 'root', role: 'admin' });
    await governed.execute({ to: 'ada' }, context());
    expect(calls).toHaveLength(1);
  });

  it('refuses arguments that are not plain data, and hands on a copy that nobody else can change', async () => {
    const governance = await openGate();
    const { made, calls } = tool('crm.contacts.find', 1);
    const governed = governance.govern(made);
    let reads = 0;
    const shifty = {
      get to() {
        reads += 1;
        return reads > 1 ? 'mallory' : 'ada';
      },
    };
    await expect(governed.execute(shifty, context())).rejects.toMatchObject({
      decision: { reasonCode: 'INPUT_UNSAFE' },
    });
    expect(reads).toBe(0);
    const given = { to: 'ada' };
    const running = governed.execute(given, context());
    given.to = 'mallory';
    await running;
    expect(calls).toEqual([{ to: 'ada' }]);
  });

  it('asks for a reason in tiers 2 and 3', async () => {
    const governance = await openGate();
    const { made } = tool('crm.contacts.update', 2);
    await expect(
      governance.govern(made).execute({ to: 'ada' }, { ...context(), rationale: ' ' }),
    ).rejects.toMatchObject({ decision: { reasonCode: 'RATIONALE_MISSING' } });
  });

  it('blocks by what the actor has done before, also before a restart', async () => {
    const first = await openGate();
    const upload = tool('files.upload', 2).made;
    await first.govern(upload).execute({ to: 'a' }, context());
    await first.govern(tool('crm.contacts.find', 1).made).execute({ to: 'a' }, context());
    await first.close();
    const second = await openGate();
    await expect(second.govern(upload).execute({ to: 'a' }, context())).rejects.toMatchObject({
      decision: { rule: 'no-leak' },
    });
  });

  it('counts what the actor does in the same turn', async () => {
    const governance = await openGate();
    const { made, calls } = tool('files.upload', 2);
    const [, upload] = await Promise.allSettled([
      governance.govern(tool('crm.contacts.find', 1).made).execute({ to: 'a' }, context('key-1')),
      governance.govern(made).execute({ to: 'a' }, context('key-2')),
    ]);
    expect(upload).toMatchObject({ status: 'rejected', reason: { decision: { rule: 'no-leak' } } });
    expect(calls).toEqual([]);
  });

  it('asks again when more is asked of people than they were asked for', async () => {
    const strict =
      '  - id: mail-after-read\n    when: { action: mail.send, after: { action: crm.contacts.find, within: 1h } }\n    approve: { from: [operator, admin], quorum: 2, expires: 30m }\n';
    await writeFile(join(folder, 'policy.yaml'), `${POLICY}${strict}`);
    const governance = await openGate();
    const { made, calls } = tool('mail.send', 3);
    const mail = governance.govern(made);
    await expect(mail.execute({ to: 'a' }, context())).rejects.toThrow('approval-1');
    await governance.approvals.vote('approval-1', { by: OPERATOR, vote: 'approve', via: 'api' });
    await governance
      .govern(tool('crm.contacts.find', 1).made)
      .execute({ to: 'a' }, context('key-2'));
    await expect(mail.execute({ to: 'a' }, context())).rejects.toThrow('approval-2');
    expect(calls).toEqual([]);
    expect(governance.approvals.get('approval-1')?.state).toBe('invalidated');
  });

  it('logs the actor that was decided on, whatever becomes of the context meanwhile', async () => {
    const governance = await openGate();
    const actor = { ...ADA };
    const made = defineTool({
      name: 'crm.contacts.find',
      description: 'Changes who called it.',
      tier: 1,
      input: z.object({}),
      output: z.object({}),
      execute: () => {
        actor.id = '';
        return {};
      },
    });
    await governance.govern(made).execute({}, { ...context(), actor });
    expect(governance.audit.query({ kind: 'outcome' }).entries).toMatchObject([{ actor: ADA }]);
  });

  it('keeps what a call took when it was refused further in, for it may have acted before', async () => {
    const governance = await openGate();
    const inner = governance.govern(tool('crm.contacts.delete', 2).made);
    const outer = governance.govern(
      defineTool({
        name: 'crm.contacts.update',
        description: 'Acts, then calls another.',
        tier: 2,
        input: z.object({}),
        output: z.unknown(),
        execute: async (_input, given) => inner.execute({ to: 'a' }, given),
      }),
    );
    const ends: string[] = [];
    for (let times = 0; times < 3; times += 1)
      await outer.execute({}, context()).catch((error: Error) => ends.push(error.message));
    expect(ends.map((message) => message.split(' ', 1)[0])).toEqual([
      'crm.contacts.delete',
      'crm.contacts.delete',
      'crm.contacts.update', // its own limit
    ]);
  });

  it('ends a stream whose generator throws before its first piece', async () => {
    const governance = await openGate();
    const stream = governance.govern(
      async function* find({ a: { b } }: { a: { b: string } }) {
        yield b;
      },
      { name: 'crm.contacts.find', tier: 1 },
    );
    const given: { a: { b: string } } = JSON.parse('{}');
    await expect(stream(given).next()).rejects.toThrow(TypeError);
    expect(governance.audit.query({ kind: 'outcome' }).entries).toHaveLength(1);
  });

  it('keeps the policy that a run began with', async () => {
    const governance = await openGate();
    const { made } = tool('crm.contacts.find', 1);
    const governed = governance.govern(made);
    await governed.execute({ to: 'a' }, context('key-1', 'old'));
    await governance.policy.load(
      'version: 1\nrules:\n  - { id: stop, when: { action: "**" }, block: true }\n',
      {
        source: 'new',
      },
    );
    await governed.execute({ to: 'a' }, context('key-2', 'old'));
    await expect(governed.execute({ to: 'a' }, context('key-3', 'new'))).rejects.toMatchObject({
      decision: { rule: 'stop' },
    });
    await governance.close();
    const later = await openGate();
    expect(
      later.decide({ action: 'mail.send', input: {}, actor: ADA, declaredTier: 3, runId: 'old' })
        .outcome,
    ).toBe('approve');
  });

  it('asks people again when the policy changes, but for runs that keep theirs', async () => {
    const governance = await openGate();
    const mail = governance.govern(tool('mail.send', 3).made);
    await governance
      .govern(tool('crm.contacts.find', 1).made)
      .execute({ to: 'a' }, context('key-0', 'old'));
    await expect(mail.execute({ to: 'a' }, context('key-1', 'old'))).rejects.toThrow('approval-1');
    const { runId: _of, ...ofNoRun } = context('key-2');
    await expect(mail.execute({ to: 'a' }, ofNoRun)).rejects.toThrow('approval-2');
    await governance.policy.load(
      `${POLICY}  - { id: more, when: { action: x.y }, allow: true }\n`,
      { source: 'new' },
    );
    await governance.close();
    const later = await openGate();
    expect(later.approvals.get('approval-1')?.state).toBe('pending');
    expect(later.approvals.get('approval-2')?.state).toBe('invalidated');
  });

  it('tells of what happened, after it is on the disk', async () => {
    const governance = await openGate({ clock: new ManualClock() });
    const told: string[] = [];
    governance.events.on('actionStarted', ({ seq }) => {
      told.push(`started ${governance.audit.entry(seq).kind}`);
    });
    governance.events.on('actionEnded', ({ outcome }) => told.push(`ended ${outcome}`));
    governance.events.on('actionDenied', ({ reasonCode }) => told.push(`denied ${reasonCode}`));
    governance.events.on('approvalRequested', ({ approvalId }) => told.push(`asked ${approvalId}`));
    await governance.govern(tool('crm.contacts.find', 1).made).execute({ to: 'a' }, context());
    await expect(
      governance.govern(tool('x.y', 2).made).execute({ to: 'a' }, context()),
    ).rejects.toThrow('denied');
    await expect(
      governance.govern(tool('mail.send', 3).made).execute({ to: 'a' }, context()),
    ).rejects.toThrow('approval');
    expect(told).toEqual([
      'started intent',
      'ended succeeded',
      'denied NO_RULE_ALLOWS',
      'asked approval-1',
    ]);
  });
});

/** From now on, every commit fails, as on a full disk. */
const fillDisk = (governance: Governance): void =>
  governance.ledger.read((database) => database.exec('PRAGMA max_page_count = 1'));

describe('the gate, when its log cannot be written', () => {
  it('blocks tiers 2 and 3, lets reads go on, and goes on when there is room', async () => {
    const governance = await openGate();
    const messages: string[] = [];
    governance.events.on('logUnavailable', ({ message }) => messages.push(message));
    fillDisk(governance);
    const write = tool('files.upload', 2);
    const read = tool('crm.contacts.find', 1);
    // What is on the pages there are may still fit; then a page more is needed.
    const blocked = async (): Promise<string> => {
      for (let at = 0; at < 200; at += 1) {
        const end = await governance
          .govern(write.made)
          .execute({ to: 'a' }, context(`key-${at}`))
          .then(
            () => 'done',
            ({ code }: { code: string }) => code,
          );
        if (end !== 'done') return end;
      }
      return 'never';
    };
    expect(await blocked()).toBe('GOVERNANCE_UNAVAILABLE');
    expect(messages.length).toBeGreaterThan(0);
    const before = write.calls.length;
    await expect(
      governance.govern(write.made).execute({ to: 'a' }, context()),
    ).rejects.toMatchObject({ retryable: true });
    expect(write.calls).toHaveLength(before);
    await governance.govern(read.made).execute({ to: 'a' }, context());
    expect(read.calls).toHaveLength(1);
    governance.ledger.read((database) => database.exec('PRAGMA max_page_count = 1000000'));
    await governance
      .govern(tool('files.upload', 2).made)
      .execute({ to: 'a' }, { ...context('after'), actor: { kind: 'agent', id: 'bob' } });
    // What was read while nothing could be written counts all the same.
    await expect(
      governance.govern(write.made).execute({ to: 'a' }, context('after')),
    ).rejects.toMatchObject({ decision: { rule: 'no-leak' } });
    const { executed, intents } = governance.coverage();
    expect(executed[2]).toBe(intents[2]);
  });
});

describe('assertCovered', () => {
  it('names every tool that no gate stands in front of', async () => {
    const governance = await openGate();
    const covered = governance.govern(tool('a.b.c', 1).made);
    expect(() => governance.assertCovered([covered])).not.toThrow();
    expect(() =>
      governance.assertCovered([
        covered,
        tool('d.e.f', 1).made,
        { ...covered, name: 'g.h.i', execute: covered.execute.bind(covered) },
      ]),
    ).toThrow(expect.objectContaining({ tools: ['d.e.f', 'g.h.i'] }));
  });
});

describe('createGovernance', () => {
  it('does not open without a good policy, and says line, column and what to do', async () => {
    await writeFile(
      join(folder, 'policy.yaml'),
      'version: 1\nrules:\n  - id: a\n    whn: { action: x }\n    allow: true\n',
    );
    await expect(openGate()).rejects.toMatchObject({
      code: 'GOVERNANCE_POLICY_NOT_LOADED',
      message: expect.stringMatching(/policy\.yaml:4:5.*whn.*when/s),
    });
  });
});
