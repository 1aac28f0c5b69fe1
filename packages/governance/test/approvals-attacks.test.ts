import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createApprovals, type Role } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { startConsumer } from './approvals/child.ts';
import {
  ada,
  admin,
  approving,
  bob,
  demanding,
  denying,
  eve,
  openWorld,
  payment,
  SECRET,
  temporaryFile,
  viewer,
} from './approvals/world.ts';

const REQUEST = payment();

describe('an attack by a forged, stale or swapped approval', () => {
  it('does not get past an id that nobody was given', async () => {
    await using world = openWorld();
    await world.file(REQUEST);
    await expect(world.consume(REQUEST, 'approval-99')).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_NOT_FOUND',
    });
    await expect(world.approvals.vote('approval-99', approving(ada))).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_NOT_FOUND',
    });
  });

  it('does not use an approval twice', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    await world.consume(REQUEST);
    await expect(world.consume(REQUEST)).rejects.toMatchObject({
      code: 'GOVERNANCE_NOT_APPROVED',
      state: 'consumed',
    });
  });

  it('does not replay a used approval by asking again: people are asked again', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    expect(await world.claim(REQUEST)).toEqual({ kind: 'granted', approvalId, via: 'api' });
    const again = await world.claim(REQUEST);
    expect(again).toMatchObject({ kind: 'waiting', isNew: true });
    expect(again.approvalId).not.toBe(approvalId);
  });

  it('does not use the stale id of one request for another', async () => {
    await using world = openWorld();
    const other = payment({ idempotencyKey: 'task-2', input: { to: 'mallory', amount: 9_999 } });
    const { approvalId } = await world.file(REQUEST);
    await world.file(other);
    await world.approvals.vote(approvalId, approving(ada));
    await expect(world.consume(other, approvalId)).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_MISMATCH',
    });
    expect(world.approvals.get(approvalId)?.state).toBe('approved');
  });

  it.each([
    [
      'changed arguments',
      payment({ input: { to: 'carol@example.com', amount: 41, currency: 'EUR' } }),
    ],
    [
      'an argument that was added',
      payment({ input: { ...Object(REQUEST.input), bcc: 'mallory' } }),
    ],
    ['no argument in the place of null', payment({ input: undefined })],
    ['a tool whose schema changed', payment({ toolDigest: 'tool-v2' })],
    ['a policy that changed', payment({ policyDigest: 'policy-v2' })],
    ['another agent', payment({ actor: { kind: 'agent', id: 'agent-8' } })],
    ['a person of the same name', payment({ actor: { kind: 'human', id: 'agent-7' } })],
    [
      'another party behind the agent',
      payment({ actor: { ...REQUEST.actor, onBehalfOf: 'mallory' } }),
    ],
    ['another tool', payment({ action: 'payments.payout' })],
    ['another run', payment({ runId: 'run-2' })],
    ['another piece of work', payment({ idempotencyKey: 'task-2' })],
  ])('does not use an approval for %s', async (_what, changed) => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    await expect(world.consume(changed, approvalId)).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_MISMATCH',
    });
    expect(await world.claim(changed)).toMatchObject({ kind: 'waiting', isNew: true });
  });

  it('does not use an approval of a text for the date that the text writes', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment({ input: { at: new Date(0).toISOString() } }));
    await world.approvals.vote(approvalId, approving(ada));
    const claimed = await world.claim(payment({ input: { at: new Date(0) } }));
    expect(claimed).toMatchObject({ kind: 'waiting', isNew: true });
  });

  it('does not use what was approved under a key for other arguments under the same key', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    await expect(world.consume(payment({ input: { amount: 9_999 } }))).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_MISMATCH',
    });
    expect(world.approvals.get(approvalId)?.state).toBe('approved');
  });

  it('makes of an edit a new request, and the old one can be approved no more', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    const edited = payment({ input: { to: 'carol@example.com', amount: 4_000, currency: 'EUR' } });
    const { approvalId: newId } = await world.file(edited);
    await expect(world.approvals.vote(approvalId, approving(ada))).rejects.toMatchObject({
      state: 'invalidated',
    });
    expect(world.approvals.contentOf(newId)).toMatchObject({
      input: { amount: 4_000 },
      replaces: { approvalId, input: { amount: 40 } },
    });
  });

  it('ends what waits under a policy that is in force no more, and asks again under the new one', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    const ended = await world.approvals.invalidate(
      ({ policyDigest }) => policyDigest !== 'policy-v2',
    );
    expect(ended).toEqual([approvalId]);
    await expect(world.consume(REQUEST)).rejects.toMatchObject({ state: 'invalidated' });
    expect(await world.claim(payment({ policyDigest: 'policy-v2' }))).toMatchObject({
      kind: 'waiting',
      isNew: true,
    });
  });

  it('matches answers to requests by id, never by position', async () => {
    await using world = openWorld();
    const ids = [];
    for (const n of [1, 2, 3]) {
      const { approvalId } = await world.file(payment({ idempotencyKey: `task-${n}` }));
      ids.push(approvalId);
    }
    const [first = '', second = '', third = ''] = ids;
    await Promise.all([
      world.approvals.vote(third, denying(ada)),
      world.approvals.vote(first, approving(ada)),
    ]);
    const states = [first, second, third].map((id) => world.approvals.get(id)?.state);
    expect(states).toEqual(['approved', 'pending', 'denied']);
    for (const position of ['1', '0', '']) {
      await expect(world.approvals.vote(position, approving(ada))).rejects.toMatchObject({
        code: 'GOVERNANCE_APPROVAL_NOT_FOUND',
      });
    }
  });

  it('does not take a vote on what was shown otherwise', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    const seen = world.approvals.bindingOf(payment({ input: { amount: 1 } }));
    await expect(
      world.approvals.vote(approvalId, { ...approving(ada), seen }),
    ).rejects.toMatchObject({ code: 'GOVERNANCE_APPROVAL_MISMATCH' });
    expect(world.approvals.get(approvalId)?.state).toBe('pending');
  });

  it('does not let arguments be swapped in the database: nobody can approve what he cannot read', async () => {
    using temporary = temporaryFile();
    await using world = openWorld({}, { file: temporary.file });
    const harmless = await world.file(payment({ idempotencyKey: 'task-2', input: { amount: 1 } }));
    const { approvalId } = await world.file(REQUEST);
    const intruder = new DatabaseSync(temporary.file);
    intruder
      .prepare(
        'UPDATE approvals SET sealed = (SELECT sealed FROM approvals WHERE id = ?) WHERE id = ?',
      )
      .run(harmless.approvalId, approvalId);
    intruder.close();
    expect(() => world.approvals.contentOf(approvalId)).toThrow(/cannot be read/);
    await expect(world.approvals.vote(approvalId, approving(ada))).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_UNREADABLE',
    });
    expect(world.approvals.get(approvalId)?.state).toBe('pending');
  });

  const byTwo = payment({ demand: demanding({ quorum: 2 }) });
  it.each([
    [
      'votes and a state',
      `INSERT INTO approval_votes SELECT approval_id, 'bob', 'bob', role, vote, via, comment, at FROM approval_votes;
       UPDATE approvals SET state = 'approved', via = 'cli';`,
    ],
    ['a state', "UPDATE approvals SET state = 'approved', via = 'cli'"],
    [
      'terms that were not those',
      `UPDATE approvals SET state = 'approved', via = 'cli', demand = replace(demand, '"quorum":2', '"quorum":1')`,
    ],
  ])(
    'does not believe %s that were written into the database without the key',
    async (_what, sql) => {
      using temporary = temporaryFile();
      await using world = openWorld({}, { file: temporary.file });
      const { approvalId } = await world.file(byTwo);
      await world.approvals.vote(approvalId, approving(ada));
      writeInto(temporary.file, sql);
      await expect(world.consume(byTwo)).rejects.toMatchObject({
        code: 'GOVERNANCE_APPROVAL_CHANGED',
        approvalId,
      });
      expect(await world.claim(byTwo)).toMatchObject({ kind: 'waiting', isNew: true });
      expect(world.approvals.get(approvalId)?.state).toBe('invalidated');
    },
  );

  it.each([
    [
      'a forged vote',
      "INSERT INTO approval_votes VALUES (?, 'bob', 'bob', 'operator', 'approve', 'cli', NULL, 0)",
    ],
    ['a lower quorum', `UPDATE approvals SET demand = replace(demand, ':2', ':1') WHERE id = ?`],
    ['a role that may vote too', `UPDATE approvals SET escalated_to = '["admin"]' WHERE id = ?`],
    ['nobody excluded', "UPDATE approvals SET excluded = '[]' WHERE id = ?"],
    ['a later end', 'UPDATE approvals SET expires_at = expires_at + 1 WHERE id = ?'],
    [
      'no attestation, as an older version filed it',
      'UPDATE approvals SET mac = NULL WHERE id = ?',
    ],
  ])(
    'takes no yes on a request with %s: it is invalidated, and asked for anew',
    async (_what, sql) => {
      using temporary = temporaryFile();
      await using world = openWorld({}, { file: temporary.file });
      const request = { ...byTwo, excluded: ['dave'] };
      const { approvalId } = await world.file(request);
      writeInto(temporary.file, sql, approvalId);
      await expect(world.approvals.vote(approvalId, approving(ada))).rejects.toMatchObject({
        code: 'GOVERNANCE_APPROVAL_CHANGED',
        approvalId,
      });
      expect(world.approvals.stepsOf(approvalId).at(-1)?.event).toBe('invalidated');
      expect(await world.claim(request)).toMatchObject({ kind: 'waiting', isNew: true });
    },
  );

  it('does not use an approval twice that was brought back in the database', async () => {
    using temporary = temporaryFile();
    await using world = openWorld({}, { file: temporary.file });
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    await world.consume(REQUEST);
    writeInto(temporary.file, "UPDATE approvals SET state = 'approved', ended_at = NULL");
    await expect(world.consume(REQUEST, approvalId)).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_CHANGED',
    });
  });

  it('still counts votes of before and after more people were asked', async () => {
    await using world = openWorld({ escalation: { afterShare: 0.5, to: ['admin'] } });
    const request = payment({ demand: demanding({ from: ['operator'], quorum: 2 }) });
    const { approvalId } = await world.file(request);
    await world.approvals.vote(approvalId, approving(ada));
    await world.clock.advance(300_000);
    await world.approvals.vote(approvalId, approving(admin));
    expect(await world.claim(request)).toMatchObject({ kind: 'granted', approvalId });
  });

  it('keeps no argument and no reason in plain, and nothing of them once it is over', async () => {
    using temporary = temporaryFile();
    const planted = payment({ input: { note: 'CANARY-ARGUMENT' }, rationale: 'CANARY-REASON' });
    {
      await using world = openWorld({}, { file: temporary.file });
      const { approvalId } = await world.file(planted);
      await world.approvals.vote(approvalId, approving(ada));
      expect(world.approvals.contentOf(approvalId)).toMatchObject({ rationale: 'CANARY-REASON' });
      await world.consume(planted);
      expect(world.approvals.contentOf(approvalId)).toBeUndefined();
    }
    const folder = dirname(temporary.file);
    for (const name of readdirSync(folder)) {
      expect(readFileSync(join(folder, name)).includes('CANARY')).toBe(false);
    }
  });
});

describe('an attack by time', () => {
  it('does not run what was declined, however often it is asked for', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, denying(ada));
    for (let n = 0; n < 3; n += 1) {
      expect(await world.claim(REQUEST)).toEqual({ kind: 'refused', approvalId, reason: 'denied' });
    }
    await expect(world.consume(REQUEST)).rejects.toMatchObject({ state: 'denied' });
    await expect(world.approvals.vote(approvalId, approving(bob))).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_CLOSED',
    });
  });

  it('never approves by waiting', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.clock.advance(600_000);
    expect(await world.claim(REQUEST)).toEqual({ kind: 'refused', approvalId, reason: 'expired' });
    expect(world.approvals.get(approvalId)?.state).toBe('expired');
  });

  it('does not take a yes that comes after the time is over', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.clock.advance(599_999);
    expect(world.approvals.get(approvalId)?.state).toBe('pending');
    await world.clock.advance(1);
    await expect(world.approvals.vote(approvalId, approving(ada))).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_CLOSED',
      state: 'expired',
    });
    expect(world.approvals.get(approvalId)?.state).toBe('expired');
  });

  it('does not use an approval that has grown old', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    await world.clock.advance(600_000);
    await expect(world.consume(REQUEST)).rejects.toMatchObject({ code: 'GOVERNANCE_NOT_APPROVED' });
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'refused', reason: 'expired' });
  });

  it('does not approve what was cancelled', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.cancel(approvalId, { by: ada, via: 'api' });
    await expect(world.approvals.vote(approvalId, approving(bob))).rejects.toMatchObject({
      state: 'cancelled',
    });
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'refused', reason: 'cancelled' });
  });

  it('lets a no take back a yes that is not used yet', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    await world.approvals.vote(approvalId, denying(bob));
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'refused', reason: 'denied' });
  });

  it('gives no more than one of many who ask for the same at once', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    const tried = await Promise.allSettled(
      Array.from({ length: 50 }, () => world.consume(REQUEST)),
    );
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('gives no more than one of several processes', async () => {
    using temporary = temporaryFile();
    await using world = openWorld({}, { file: temporary.file });
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    const consumers = [1, 2, 3].map(() => startConsumer(temporary.file, 'end', REQUEST));
    const said = await Promise.all(consumers.map(({ ended }) => ended()));
    expect(said.flat().toSorted()).toEqual([
      'GOVERNANCE_NOT_APPROVED',
      'GOVERNANCE_NOT_APPROVED',
      'done',
      `granted ${approvalId}`,
    ]);
  });

  it('keeps an approval when the process is killed before it is used up', async () => {
    using temporary = temporaryFile();
    await using world = openWorld({}, { file: temporary.file });
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    const consumer = startConsumer(temporary.file, 'before', REQUEST);
    expect(await consumer.firstLine()).toBe('consuming');
    await consumer.kill();
    expect(world.approvals.get(approvalId)?.state).toBe('approved');
    expect(await world.consume(REQUEST)).toMatchObject({ approvalId });
  });

  it('does not run twice when the process is killed between approval and act', async () => {
    using temporary = temporaryFile();
    await using world = openWorld({}, { file: temporary.file });
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    const consumer = startConsumer(temporary.file, 'after', REQUEST);
    expect(await consumer.firstLine()).toBe(`granted ${approvalId}`);
    await consumer.kill();
    expect(consumer.lines).not.toContain('done');
    await expect(world.consume(REQUEST)).rejects.toMatchObject({ state: 'consumed' });
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'waiting', isNew: true });
  });

  it('remembers everything over a restart, and the same call finds its request again', async () => {
    using temporary = temporaryFile();
    let id: string;
    {
      await using world = openWorld({}, { file: temporary.file });
      ({ approvalId: id } = await world.file(REQUEST));
      await world.approvals.vote(id, approving(ada));
    }
    await using world = openWorld({}, { file: temporary.file });
    expect(await world.file(REQUEST)).toEqual({ approvalId: id, isNew: false, state: 'approved' });
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'granted', approvalId: id });
  });

  it('undoes the use of an approval when the intent cannot be written', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    const told: string[] = [];
    world.approvals.events.on('consumed', (event) => told.push(event.approvalId));
    const failing = world.ledger.write((transaction) => {
      world.approvals.claim(transaction, REQUEST);
      throw new Error('the intent does not fit');
    });
    await expect(failing).rejects.toThrow('does not fit');
    expect(world.approvals.get(approvalId)?.state).toBe('approved');
    expect(told).toEqual([]);
    await world.consume(REQUEST);
    expect(told).toEqual([approvalId]);
  });
});

describe('an attack by people', () => {
  it.each([
    ['who asked', payment({ actor: { kind: 'human', id: 'ada' } }), {}, 'requester'],
    [
      'in whose name it is asked',
      payment({ actor: { ...REQUEST.actor, onBehalfOf: 'ada' } }),
      {},
      'requester',
    ],
    [
      'who asked, written otherwise',
      payment({ actor: { kind: 'human', id: ' ADA ' } }),
      {},
      'requester',
    ],
    ['who owns the agent', REQUEST, { ownersOf: () => ['ada'] }, 'owner'],
    [
      'who wrote the policy change that is asked for',
      payment({ excluded: ['Ada'] }),
      {},
      'excluded',
    ],
    [
      'who brought the policy into force, where the rule says so',
      payment({ demand: demanding({ not: ['policy_author'] }) }),
      { policyAuthorsOf: () => ['ada'] },
      'policy_author',
    ],
    [
      'whose role may never vote',
      payment({ demand: demanding({ from: ['viewer'] }) }),
      { as: viewer },
      'permission',
    ],
    ['whose role is not asked', payment({ demand: demanding({ from: ['admin'] }) }), {}, 'role'],
    ['who is not in the directory', REQUEST, { roleOf: () => undefined }, 'permission'],
    [
      'who comes with a lesser role than the directory knows',
      REQUEST,
      { as: { ...viewer, id: 'ada' }, roleOf: (): Role => 'operator' },
      'permission',
    ],
    [
      'who claims more than the directory says',
      REQUEST,
      { roleOf: (): Role => 'viewer' },
      'permission',
    ],
  ])(
    'does not take the vote of a person %s',
    async (_who, request, { as = ada, ...people }: object & { as?: typeof ada }, obstacle) => {
      await using world = openWorld({}, { people });
      const { approvalId } = await world.file(request);
      await expect(world.approvals.vote(approvalId, approving(as))).rejects.toMatchObject({
        code: 'GOVERNANCE_VOTE_REFUSED',
        obstacle,
      });
      expect(world.approvals.get(approvalId)).toMatchObject({ state: 'pending', votes: [] });
    },
  );

  it.each(['loaded', 'rolled_back'] as const)(
    'does not take the vote of who the log says has %s the policy, nor let his earlier one count',
    async (event) => {
      await using world = openWorld();
      const policyDigest = 'a'.repeat(64);
      const [mine, voted] = ['task-1', 'task-2'].map((idempotencyKey) =>
        payment({ policyDigest, idempotencyKey }),
      );
      if (!mine || !voted) throw new Error('There are two');
      const { approvalId } = await world.file(mine);
      const earlier = await world.file(voted);
      await world.approvals.vote(earlier.approvalId, approving(ada));
      await world.ledger.write(({ append }) =>
        append({
          kind: 'policy',
          event,
          policyDigest,
          by: { kind: 'human', id: 'Ada' },
          reasonCode: null,
        }),
      );
      await expect(world.approvals.vote(approvalId, approving(ada))).rejects.toMatchObject({
        code: 'GOVERNANCE_VOTE_REFUSED',
        obstacle: 'policy_author',
      });
      expect(world.approvals.obstacleOf(ada, approvalOf(world, approvalId))).toBe('policy_author');
      expect(await world.claim(voted)).toMatchObject({ kind: 'waiting', isNew: true });
      await world.approvals.vote(approvalId, approving(bob));
      expect(await world.claim(mine)).toMatchObject({ kind: 'granted' });
    },
  );

  it('counts one person once, however often and under whatever spelling he votes', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(payment({ demand: demanding({ quorum: 2 }) }));
    for (const id of ['ada', 'ADA', ' ada ', 'ａｄａ']) {
      await world.approvals.vote(approvalId, approving({ id, role: 'operator' }));
    }
    expect(world.approvals.get(approvalId)?.state).toBe('pending');
    await world.approvals.vote(approvalId, approving(bob));
    expect(world.approvals.get(approvalId)?.state).toBe('approved');
  });

  it('does not count the vote of a person whose role was taken before the quorum was there', async () => {
    const roles = new Map<string, Role>([
      ['ada', 'operator'],
      ['bob', 'operator'],
      ['eve', 'operator'],
    ]);
    await using world = openWorld({}, { people: { roleOf: (id) => roles.get(id) } });
    const { approvalId } = await world.file(payment({ demand: demanding({ quorum: 2 }) }));
    await world.approvals.vote(approvalId, approving(ada));
    roles.delete('ada');
    await world.approvals.vote(approvalId, approving(bob));
    expect(world.approvals.get(approvalId)?.state).toBe('pending');
    await world.approvals.vote(approvalId, approving(eve));
    expect(world.approvals.get(approvalId)?.state).toBe('approved');
  });

  it('does not use an approval of somebody whose role was taken since', async () => {
    let role: Role = 'operator';
    await using world = openWorld({}, { people: { roleOf: () => role } });
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, approving(ada));
    role = 'viewer';
    await expect(world.consume(REQUEST)).rejects.toMatchObject({ code: 'GOVERNANCE_NOT_APPROVED' });
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'waiting', isNew: true });
    expect(world.approvals.get(approvalId)?.state).toBe('invalidated');
  });

  it('does not let a stranger cancel, and lets the one who asked', async () => {
    await using world = openWorld();
    const request = payment({ actor: { ...REQUEST.actor, onBehalfOf: 'ute' } });
    const { approvalId } = await world.file(request);
    const ute = { id: 'ute', role: 'user' } as const;
    const stranger = { id: 'sam', role: 'user' } as const;
    await expect(
      world.approvals.cancel(approvalId, { by: stranger, via: 'api' }),
    ).rejects.toMatchObject({ code: 'GOVERNANCE_PERMISSION_DENIED' });
    const { state } = await world.approvals.cancel(approvalId, { by: ute, via: 'api' });
    expect(state).toBe('cancelled');
  });

  it('asks more people after a share of the time, and none before', async () => {
    await using world = openWorld({ escalation: { afterShare: 0.5, to: ['admin'] } });
    const { approvalId } = await world.file(payment({ demand: demanding({ from: ['operator'] }) }));
    await expect(world.approvals.vote(approvalId, approving(admin))).rejects.toMatchObject({
      obstacle: 'role',
    });
    await world.clock.advance(300_000);
    expect(await world.approvals.expireDue()).toEqual({ expired: [], escalated: [approvalId] });
    const { state } = await world.approvals.vote(approvalId, approving(admin));
    expect(state).toBe('approved');
  });

  it('does not flood people: an actor has so many requests open, and no more', async () => {
    await using world = openWorld({ maxPendingPerActor: 2 });
    await world.file(payment({ idempotencyKey: 'task-1' }));
    await world.file(payment({ idempotencyKey: 'task-2' }));
    await expect(world.file(payment({ idempotencyKey: 'task-3' }))).rejects.toMatchObject({
      code: 'GOVERNANCE_TOO_MANY_PENDING',
      retryable: true,
    });
  });

  it.each([
    ['tier 4', payment({ tier: 4 }), 'GOVERNANCE_APPROVAL_REQUEST_INVALID'],
    ['a quorum of nobody', payment({ demand: demanding({ quorum: 0 }) }), 'CORE_INVALID_INPUT'],
    [
      'a time that never ends',
      payment({ demand: demanding({ expiresMs: Infinity }) }),
      'CORE_INVALID_INPUT',
    ],
    ['no role at all', payment({ demand: demanding({ from: [] }) }), 'CORE_INVALID_INPUT'],
    ['an empty key', payment({ idempotencyKey: '' }), 'CORE_INVALID_INPUT'],
    ['half a character', payment({ input: '\uD800' }), 'GOVERNANCE_APPROVAL_REQUEST_INVALID'],
  ])('does not file %s', async (_what, request, code) => {
    await using world = openWorld();
    await expect(world.file(request)).rejects.toMatchObject({ code });
    expect(world.approvals.list().approvals).toEqual([]);
  });

  it('takes no secret that could be guessed', async () => {
    await using world = openWorld();
    const { ledger } = world;
    expect(() => createApprovals({}, { ledger, secret: SECRET.subarray(0, 16) })).toThrow(/32/);
  });
});

const GRANT = {
  action: 'payments.refund',
  actor: { kind: 'agent', id: 'agent-7' },
  toolDigest: 'tool-v1',
  args: { amount: { max: 50 }, currency: { equals: 'EUR' } },
  calls: 3,
  spend: { amount: 10_000, currency: 'EUR', path: 'amount', currencyPath: 'currency' },
  ttlMs: 3_600_000,
} as const;

describe('an attack by a grant', () => {
  it('is let through as often and for as much as the grant says, each time as `via: grant`', async () => {
    await using world = openWorld();
    const { id } = await world.approvals.grant(ada, GRANT);
    for (const n of [1, 2]) {
      const claimed = await world.claim(payment({ idempotencyKey: `task-${n}` }));
      expect(claimed).toMatchObject({ kind: 'granted', via: 'grant' });
      expect(world.approvals.get(claimed.approvalId)).toMatchObject({
        state: 'consumed',
        via: 'grant',
      });
    }
    expect(world.approvals.grants(ada)).toMatchObject([{ id, callsLeft: 1, spendLeft: 2_000 }]);
    // A third call is left, but 20 EUR only.
    expect(await world.claim(payment({ idempotencyKey: 'task-3' }))).toMatchObject({
      kind: 'waiting',
    });
  });

  it.each([
    ['a larger amount', payment({ input: { amount: 51, currency: 'EUR' } })],
    ['an amount that is a text', payment({ input: { amount: '40', currency: 'EUR' } })],
    ['an amount below nothing', payment({ input: { amount: -40, currency: 'EUR' } })],
    ['another currency', payment({ input: { amount: 40, currency: 'USD' } })],
    ['a currency written otherwise', payment({ input: { amount: 40, currency: 'eur' } })],
    ['no currency', payment({ input: { amount: 40 } })],
    ['another version of the tool', payment({ toolDigest: 'tool-v2' })],
    ['another agent', payment({ actor: { kind: 'agent', id: 'agent-8' } })],
    ['another party behind the agent', payment({ actor: { ...REQUEST.actor, onBehalfOf: 'x' } })],
    ['a demand for two people', payment({ demand: demanding({ quorum: 2 }) })],
    ['a demand for another role', payment({ demand: demanding({ from: ['admin'] }) })],
  ])('does not stretch a grant to %s', async (_what, request) => {
    await using world = openWorld();
    await world.approvals.grant(ada, GRANT);
    expect(await world.claim(request)).toMatchObject({ kind: 'waiting' });
    expect(world.approvals.grants(ada)).toMatchObject([{ callsLeft: 3 }]);
  });

  it.each([
    ['a number that is a text', { amount: '40' }],
    ['a name that only looks alike', { amount: 40, to: 'CAROL' }],
    ['a name with a hidden character', { amount: 40, to: 'car\u200Bol' }],
    ['nothing at all', { to: null }],
  ])('does not let %s pass for what the grant says', async (_what, changed) => {
    await using world = openWorld();
    const { spend: _none, ...rest } = GRANT;
    const args = { amount: { max: 50 }, to: { equals: 'carol' } };
    await world.approvals.grant(ada, { ...rest, args });
    const fits = payment({ idempotencyKey: 'fits', input: { amount: 40, to: 'carol' } });
    expect(await world.claim(fits)).toMatchObject({ kind: 'granted' });
    const claimed = await world.claim(payment({ input: { to: 'carol', ...changed } }));
    expect(claimed).toMatchObject({ kind: 'waiting' });
  });

  it('does not put a sticky grant over a no that was said to just this call', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, denying(bob));
    await world.approvals.grant(ada, GRANT);
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'refused', reason: 'denied' });
    const again = payment({ idempotencyKey: 'another-try', policyDigest: 'policy-v2' });
    expect(await world.claim(again)).toMatchObject({ kind: 'waiting' });
  });

  it('ends with its time, with its revocation and with the role of who made it', async () => {
    let role: Role = 'operator';
    await using world = openWorld({}, { people: { roleOf: () => role } });
    const { id } = await world.approvals.grant(ada, GRANT);
    role = 'viewer';
    expect(await world.claim(payment({ idempotencyKey: 'a' }))).toMatchObject({ kind: 'waiting' });
    role = 'operator';
    await world.approvals.revokeGrant(bob, id);
    expect(await world.claim(payment({ idempotencyKey: 'b' }))).toMatchObject({ kind: 'waiting' });
    await world.approvals.grant(ada, { ...GRANT, ttlMs: 1_000 });
    await world.clock.advance(1_000);
    expect(await world.claim(payment({ idempotencyKey: 'c' }))).toMatchObject({ kind: 'waiting' });
  });

  it('does not approve oneself by a grant for one’s own agent', async () => {
    await using world = openWorld({}, { people: { ownersOf: () => ['ada'] } });
    await expect(world.approvals.grant(ada, GRANT)).rejects.toMatchObject({
      code: 'GOVERNANCE_GRANT_REFUSED',
      obstacle: 'owner',
    });
    await expect(world.approvals.grant(viewer, GRANT)).rejects.toMatchObject({
      code: 'GOVERNANCE_PERMISSION_DENIED',
    });
  });

  it('is not made without a word on arguments, or without an end', async () => {
    await using world = openWorld();
    for (const changed of [{ args: {} }, { calls: 1e9 }, { ttlMs: 1e12 }, { calls: Infinity }]) {
      await expect(world.approvals.grant(ada, { ...GRANT, ...changed })).rejects.toMatchObject({
        code: 'CORE_INVALID_INPUT',
      });
    }
  });

  it('covers nothing when somebody changed it in the database, or it was sealed with another secret', async () => {
    using temporary = temporaryFile();
    await using world = openWorld({}, { file: temporary.file });
    await world.approvals.grant(ada, { ...GRANT, args: { amount: { max: 1 } } });
    await world.approvals.grant(ada, { ...GRANT, toolDigest: 'tool-v0' });
    const intruder = new DatabaseSync(temporary.file);
    intruder.exec(
      `UPDATE approval_grants SET terms = (SELECT terms FROM approval_grants WHERE tool_digest = 'tool-v0')`,
    );
    intruder.close();
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'waiting' });
    await using rotated = openWorld(
      {},
      { file: temporary.file, secret: new Uint8Array(32).fill(8), newId: () => 'rotated-1' },
    );
    expect(await rotated.claim(REQUEST)).toMatchObject({ kind: 'waiting', isNew: true });
    expect(rotated.approvals.grants(ada)).toEqual([]);
  });

  it.each([
    ['calls that are left', 'UPDATE approval_grants SET calls_left = 9'],
    ['money that is left', 'UPDATE approval_grants SET spend_left = 1000000'],
    ['its end', 'UPDATE approval_grants SET expires_at = expires_at + 1'],
    ['who made it', "UPDATE approval_grants SET made_by = 'bob'"],
    ['the tool that it is for', "UPDATE approval_grants SET action = 'payments.payout'"],
    ['the agent that it is for', "UPDATE approval_grants SET actor_id = 'agent-8'"],
    ['its word for it, as an older version made none', 'UPDATE approval_grants SET mac = NULL'],
  ])('covers nothing when somebody without the key changed %s', async (_what, sql) => {
    using temporary = temporaryFile();
    await using world = openWorld({}, { file: temporary.file });
    await world.approvals.grant(ada, GRANT);
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'granted' });
    writeInto(temporary.file, sql);
    for (const changed of [
      {},
      { action: 'payments.payout' },
      { actor: { ...REQUEST.actor, id: 'agent-8' } },
    ]) {
      const request = payment({ idempotencyKey: 'task-2', ...changed });
      expect(await world.claim(request)).toMatchObject({ kind: 'waiting' });
    }
  });

  it('covers nothing more when somebody without the key takes its end back', async () => {
    using temporary = temporaryFile();
    await using world = openWorld({}, { file: temporary.file });
    const { id } = await world.approvals.grant(ada, GRANT);
    await world.approvals.revokeGrant(admin, id);
    writeInto(temporary.file, 'UPDATE approval_grants SET revoked_at = NULL');
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'waiting' });
  });

  it('gives back what it took when the intent cannot be written', async () => {
    await using world = openWorld();
    await world.approvals.grant(ada, GRANT);
    const failing = world.ledger.write((transaction) => {
      world.approvals.claim(transaction, REQUEST);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(world.approvals.grants(ada)).toMatchObject([{ callsLeft: 3, spendLeft: 10_000 }]);
  });
});

const DEV = { mode: 'dev', environment: {}, host: '127.0.0.1', ttlMs: 60_000, by: ada };

describe('an attack by fast approval', () => {
  it.each([
    ['in production', { environment: { NODE_ENV: 'production' } }],
    ['in production, written otherwise', { environment: { NODE_ENV: ' PROD ' } }],
    ['outside dev mode', { mode: 'live' }],
    ['on an address that others reach', { host: '0.0.0.0' }],
    ['on a name that only looks like loopback', { host: '127.0.0.1.example.com' }],
    ['on the network', { host: '192.168.0.7' }],
  ])('is refused %s', async (_where, changed) => {
    await using world = openWorld();
    await expect(world.approvals.openFastApproval({ ...DEV, ...changed })).rejects.toMatchObject({
      code: 'GOVERNANCE_FAST_APPROVAL_REFUSED',
    });
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'waiting' });
  });

  it('is refused without an end, or to a person who may not approve', async () => {
    await using world = openWorld();
    await expect(
      world.approvals.openFastApproval({ ...DEV, ttlMs: 86_400_000 }),
    ).rejects.toMatchObject({ code: 'CORE_INVALID_INPUT' });
    await expect(world.approvals.openFastApproval({ ...DEV, by: viewer })).rejects.toMatchObject({
      code: 'GOVERNANCE_PERMISSION_DENIED',
    });
  });

  it('approves as `via: fast` until it is closed, or its time is over', async () => {
    await using world = openWorld();
    const fast = await world.approvals.openFastApproval(DEV);
    const claimed = await world.claim(payment({ idempotencyKey: 'a' }));
    expect(claimed).toMatchObject({ kind: 'granted', via: 'fast' });
    expect(
      world.approvals.stepsOf(claimed.approvalId).map(({ event, via }) => [event, via]),
    ).toEqual([
      ['filed', null],
      ['approved', 'fast'],
      ['consumed', 'fast'],
    ]);
    await fast.close();
    expect(await world.claim(payment({ idempotencyKey: 'b' }))).toMatchObject({ kind: 'waiting' });
    await world.approvals.openFastApproval(DEV);
    await world.clock.advance(60_000);
    expect(await world.claim(payment({ idempotencyKey: 'c' }))).toMatchObject({ kind: 'waiting' });
  });

  it('never approves tier 4', async () => {
    await using world = openWorld();
    await world.approvals.openFastApproval(DEV);
    await expect(world.claim(payment({ tier: 4 }))).rejects.toMatchObject({
      code: 'GOVERNANCE_APPROVAL_REQUEST_INVALID',
    });
  });

  it('does not undo a no', async () => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await world.approvals.vote(approvalId, denying(ada));
    await world.approvals.openFastApproval(DEV);
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'refused', reason: 'denied' });
    expect(await world.claim(payment({ idempotencyKey: 'again' }))).toMatchObject({
      kind: 'waiting',
    });
  });

  it('ends when the process turns out to be in production', async () => {
    await using world = openWorld();
    const environment: Record<string, string> = {};
    await world.approvals.openFastApproval({ ...DEV, environment });
    environment['NODE_ENV'] = 'production';
    expect(await world.claim(REQUEST)).toMatchObject({ kind: 'waiting' });
  });
});

/** As somebody does who can write the file, and has no key. */
function writeInto(file: string, sql: string, ...values: string[]): void {
  const intruder = new DatabaseSync(file);
  try {
    if (values.length === 0) intruder.exec(sql);
    else intruder.prepare(sql).run(...values);
  } finally {
    intruder.close();
  }
}

function approvalOf({ approvals }: ReturnType<typeof openWorld>, id: string) {
  const approval = approvals.get(id);
  if (!approval) throw new Error(`There is no ${id}`);
  return approval;
}
