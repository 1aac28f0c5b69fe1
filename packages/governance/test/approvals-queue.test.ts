import {
  type AuditEntryBody,
  approveRequest,
  auditLogOf,
  denyRequest,
  listApprovals,
} from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import {
  ada,
  approving,
  bob,
  demanding,
  denying,
  openWorld,
  payment,
  temporaryFile,
  viewer,
} from './approvals/world.ts';

describe('the queue of approvals', () => {
  it('files the same call under the same key once, however many ask at once', async () => {
    await using world = openWorld();
    const filed = await Promise.all(Array.from({ length: 20 }, () => world.file(payment())));
    expect(new Set(filed.map(({ approvalId }) => approvalId)).size).toBe(1);
    expect(filed.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  it('approves when as many distinct people agree as the rule asks for', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment({ demand: demanding({ quorum: 3 }) }));
    for (const [id, state] of [
      ['ada', 'pending'],
      ['bob', 'pending'],
      ['eve', 'approved'],
    ] as const) {
      const voted = await world.approvals.vote(approvalId, approving({ id, role: 'operator' }));
      expect(voted.state).toBe(state);
    }
  });

  it('lets a person change a yes into a no, which decides', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment({ demand: demanding({ quorum: 2 }) }));
    await world.approvals.vote(approvalId, approving(ada));
    const { state, votes } = await world.approvals.vote(approvalId, denying(ada));
    expect([state, votes.length]).toEqual(['denied', 1]);
  });

  it('gives what is approved as much time again, counted from the approval', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment());
    await world.clock.advance(599_000);
    await world.approvals.vote(approvalId, approving(ada));
    await world.clock.advance(599_000);
    expect(await world.claim(payment())).toMatchObject({ kind: 'granted' });
  });

  it('replaces secrets in comments before they are kept', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment());
    const comment = 'see postgres://ada:hunter2@db';
    const { votes } = await world.approvals.vote(approvalId, { ...approving(ada), comment });
    expect(votes[0]?.comment).not.toContain('hunter2');
  });

  it('pages by what was seen last, the newest first, by state, action, agent, run and person', async () => {
    await using world = openWorld();
    for (let n = 1; n < 6; n += 1) {
      const actor = { kind: 'agent', id: `agent-${n % 2}`, onBehalfOf: `person-${n}` } as const;
      await world.file(payment({ idempotencyKey: `task-${n}`, actor, runId: `run-${n}` }));
    }
    await world.approvals.vote('approval-2', approving(ada));
    const idsOf = (options: Parameters<typeof world.approvals.list>[0]) =>
      world.approvals
        .list(options)
        .approvals.map(({ id }) => id.slice(-1))
        .join('');
    const first = world.approvals.list({ limit: 2 });
    expect(first.approvals.map(({ id }) => id)).toEqual(['approval-5', 'approval-4']);
    expect(idsOf({ limit: 3, after: first.next ?? '' })).toBe('321');
    expect(world.approvals.list({ limit: 5 }).next).toBeNull();
    expect(idsOf({ states: ['pending'] })).toBe('5431');
    expect(idsOf({ actorId: 'agent-0' })).toBe('42');
    expect(idsOf({ runId: 'run-3' })).toBe('3');
    expect(idsOf({ action: 'mail.send' })).toBe('');
    expect(idsOf({ requestedBy: ' PERSON-4' })).toBe('4');
    expect(() => world.approvals.list({ limit: 0 })).toThrow(/page of approvals/);
    expect(() => world.approvals.list({ after: '1; DROP TABLE approvals' })).toThrow(/page/);
  });

  it('takes patterns for actions, as policies have them, and counts what is alike', async () => {
    await using world = openWorld();
    for (const [n, action] of [
      'mail.send',
      'mail.drafts.send',
      'crm.update',
      'mail.send',
    ].entries())
      await world.file(payment({ idempotencyKey: `task-${n}`, action }));
    const idsOf = (action: string) =>
      world.approvals.list({ action }).approvals.map(({ id }) => id.slice(-1));
    expect(idsOf('mail.*')).toEqual(['4', '1']);
    expect(idsOf('mail.**')).toEqual(['4', '2', '1']);
    expect(idsOf('*')).toEqual([]);
    expect(world.approvals.groups({ action: 'mail.**' })).toMatchObject([
      { action: 'mail.send', actor: { kind: 'agent', id: 'agent-7' }, tier: 3, count: 2 },
      { action: 'mail.drafts.send', rule: 'refund-large', count: 1 },
    ]);
  });

  it('knows how many of each actor wait, whatever becomes of them', async () => {
    await using world = openWorld();
    const expectCounted = () =>
      world.ledger.read((database) => {
        const counted = database.prepare('SELECT actor_id, pending FROM approval_pending').all();
        const pending = database.prepare(
          `SELECT actor_id, count(*) AS pending FROM approvals WHERE state = 'pending' GROUP BY actor_id`,
        );
        expect(counted).toEqual(pending.all());
      });
    for (let n = 1; n <= 6; n += 1) {
      const actor = { kind: 'agent', id: `agent-${n % 2}` } as const;
      await world.file(payment({ idempotencyKey: `task-${n}`, actor }));
    }
    await world.approvals.vote('approval-1', approving(ada));
    await world.approvals.vote('approval-2', denying(ada));
    expectCounted();
    await world.approvals.cancel('approval-3', { by: ada, via: 'api' });
    await world.file(
      payment({ idempotencyKey: 'task-4', actor: { kind: 'agent', id: 'agent-0' }, input: 7 }),
    );
    expectCounted();
    await world.clock.advance(600_000);
    await world.approvals.expireDue();
    expectCounted();
  });

  it('writes each step to the audit log in the transaction that makes it', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment({ demand: demanding({ quorum: 2 }) }));
    await world.approvals.vote(approvalId, approving(ada));
    await world.approvals.vote(approvalId, { ...approving(bob), via: 'form' });
    await world.claim(payment({ demand: demanding({ quorum: 2 }) }));
    const entries = auditLogOf(world.ledger).query({}).entries.toReversed();
    expect(entries.map((entry) => lineOf(entry))).toEqual([
      'filed agent-7 null',
      'voted ada api',
      'voted bob form',
      'approved bob form',
      'consumed agent-7 form',
    ]);
  });

  it('audits grants and fast approval when they begin and when they end', async () => {
    await using world = openWorld();
    const { id } = await world.approvals.grant(ada, {
      action: 'payments.refund',
      actor: { kind: 'agent', id: 'agent-7' },
      toolDigest: 'tool-v1',
      args: { amount: { max: 50 } },
      calls: 1,
      ttlMs: 1_000,
    });
    await world.approvals.revokeGrant(bob, id);
    const fast = await world.approvals.openFastApproval({
      mode: 'dev',
      environment: {},
      host: 'localhost',
      ttlMs: 1_000,
      by: ada,
    });
    await fast.close();
    const entries = auditLogOf(world.ledger).query({}).entries.toReversed();
    expect(entries.map((entry) => lineOf(entry))).toEqual([
      'grant_made ada',
      'grant_revoked bob',
      'fast_approve_on ada',
      'fast_approve_off ada',
    ]);
  });
});

function lineOf(entry: AuditEntryBody): string {
  if (entry.kind === 'approval') return `${entry.event} ${entry.by.id} ${entry.via}`;
  return entry.kind === 'control' ? `${entry.event} ${entry.by.id}` : entry.kind;
}

describe('whoever waits for an approval', () => {
  it('is told at once of a vote in this process', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment());
    const waiting = world.approvals.waitFor(approvalId);
    await world.approvals.vote(approvalId, approving(ada));
    expect(await waiting).toMatchObject({ id: approvalId, state: 'approved' });
    expect(world.clock.monotonic()).toBe(0);
  });

  it('learns of a vote in another process within the time between two looks', async () => {
    using temporary = temporaryFile();
    await using world = openWorld({ pollMs: 1_000 }, { file: temporary.file });
    await using elsewhere = openWorld({}, { file: temporary.file });
    const { approvalId } = await world.file(payment());
    const events: string[] = [];
    world.approvals.events.on('voted', ({ by }) => events.push(`voted by ${by.id}`));
    world.approvals.events.on('denied', ({ by }) => events.push(`denied by ${by.id}`));
    const waiting = world.clock.run(() => world.approvals.waitFor(approvalId));
    await elsewhere.approvals.vote(approvalId, denying(ada));
    expect(await waiting).toMatchObject({ state: 'denied' });
    expect(events).toEqual(['voted by ada', 'denied by ada']);
  });

  it('learns that it expired, and of no approval', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment());
    const approval = await world.clock.run(() => world.approvals.waitFor(approvalId));
    expect(approval.state).toBe('expired');
    expect(world.clock.monotonic()).toBe(600_000);
  });

  it('stops waiting when told to, and does not wait for what there is not', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment());
    const stop = new AbortController();
    const waiting = world.approvals.waitFor(approvalId, { signal: stop.signal });
    stop.abort(new Error('the run was cancelled'));
    await expect(waiting).rejects.toThrow('the run was cancelled');
    await expect(world.approvals.waitFor('approval-9')).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_NOT_FOUND',
    });
  });

  it('is told each step once, in order, and not disturbed by a listener that throws', async () => {
    await using world = openWorld({ escalation: { afterShare: 0.5, to: ['admin'] } });
    const told: string[] = [];
    world.approvals.events.on('filed', () => {
      throw new Error('a listener of no use');
    });
    for (const event of ['filed', 'escalated', 'voted', 'approved', 'consumed'] as const) {
      world.approvals.events.on(event, ({ approvalId }) => told.push(`${event} ${approvalId}`));
    }
    const { approvalId } = await world.file(payment());
    await world.clock.advance(300_000);
    await world.approvals.vote(approvalId, approving(ada));
    await world.consume(payment());
    expect(told).toEqual(
      ['filed', 'escalated', 'voted', 'approved', 'consumed'].map(
        (event) => `${event} ${approvalId}`,
      ),
    );
  });

  it('is told each step once also when a listener looks for more', async () => {
    await using world = openWorld();
    const told: string[] = [];
    world.approvals.events.on('voted', ({ approvalId }) => {
      told.push('voted');
      void world.approvals.waitFor(approvalId); // tells what is there to be told, at once
    });
    world.approvals.events.on('approved', () => told.push('approved'));
    const { approvalId } = await world.file(payment());
    await world.approvals.vote(approvalId, approving(ada));
    expect(told).toEqual(['voted', 'approved']);
  });
});

describe('the commands for approvals', () => {
  it('list what waits with all that one decides by, hidden characters as marks', async () => {
    await using world = openWorld();
    await world.file(
      payment({ input: { to: 'a\u202Eb\u001B[31m', amount: 40, password: 'hunter2' } }),
    );
    const { text, json, exitCode } = listApprovals(world.approvals, { person: ada });
    expect(exitCode).toBe(0);
    expect(text).toContain('approval-1  pending  payments.refund  tier 3');
    expect(text).toContain('argument   to = "a⟦U+202E⟧b⟦U+001B⟧[31m"');
    expect(text).toContain('argument   amount = 40');
    expect(text).toContain('reason     The parcel never came');
    expect(`${text}${JSON.stringify(json)}`).not.toContain('hunter2');
    expect(json).toMatchObject({
      ok: true,
      next: null,
      approvals: [{ id: 'approval-1', filed_at: '2026-01-01T00:00:00.000Z', quorum: 1 }],
    });
    expect(listApprovals(world.approvals, { person: viewer }).text).toContain('not for this role');
  });

  it('approve and deny by id, and say how it stands', async () => {
    await using world = openWorld();
    const { approvalId: id } = await world.file(payment({ demand: demanding({ quorum: 2 }) }));
    expect(await approveRequest(world.approvals, { id, person: ada })).toMatchObject({
      text: 'payments.refund (approval-1) is pending; 1 of 2 people have agreed.\n',
      exitCode: 0,
    });
    expect(
      await denyRequest(world.approvals, { id, person: bob, comment: 'No parcel was sent' }),
    ).toMatchObject({ json: { ok: true, state: 'denied' }, exitCode: 0 });
    expect(listApprovals(world.approvals, { person: ada }).text).toBe(
      'Nothing waits for a decision.\n',
    );
  });

  it('say no with 1, and that there is no such thing with 2', async () => {
    await using world = openWorld();
    const { approvalId: id } = await world.file(payment());
    expect(await approveRequest(world.approvals, { id, person: viewer })).toMatchObject({
      json: { ok: false, code: 'GOVERNANCE_VOTE_REFUSED' },
      exitCode: 1,
    });
    expect(await approveRequest(world.approvals, { id: '1', person: ada })).toMatchObject({
      exitCode: 2,
    });
    expect(listApprovals(world.approvals, { person: ada, after: 'x' })).toMatchObject({
      exitCode: 2,
    });
  });
});
