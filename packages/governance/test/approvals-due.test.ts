import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '@buddy/core';
import {
  auditLogOf,
  createGovernance,
  defaultPolicyFile,
  listApprovals,
  openAuditLog,
} from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { ada, admin, approving, openWorld, payment, temporaryFile } from './approvals/world.ts';

const TEN_MINUTES = 600_000;
const ESCALATION = { escalation: { afterShare: 0.5, to: ['admin' as const] } };

describe('the time of a request', () => {
  it('ends it by itself, and the log, the card and whoever listens are told', async () => {
    await using world = openWorld({}, { isWatched: true });
    const told: string[] = [];
    world.approvals.events.on('expired', ({ approvalId }) => told.push(approvalId));
    await world.file(payment());
    await world.file(payment({ idempotencyKey: 'task-2' }));
    await world.clock.advance(TEN_MINUTES);
    const log = auditLogOf(world.ledger);
    expect(eventsIn(world)).toEqual([
      'filed agent-7',
      'filed agent-7',
      'expired governance',
      'expired governance',
    ]);
    expect(log.card(world.clock.now()).pendingApprovals).toBe(0);
    expect(told).toEqual(['approval-1', 'approval-2']);
  });

  it('ends an approval that nobody used, counted from when it was given', async () => {
    await using world = openWorld({}, { isWatched: true });
    const { approvalId } = await world.file(payment());
    await world.clock.advance(TEN_MINUTES - 1);
    await world.approvals.vote(approvalId, approving(ada));
    await world.clock.advance(TEN_MINUTES - 1);
    expect(world.approvals.get(approvalId)?.state).toBe('approved');
    await world.clock.advance(1);
    expect(eventsIn(world).at(-1)).toBe('expired governance');
  });

  it('has more people asked by itself', async () => {
    await using world = openWorld(ESCALATION, { isWatched: true });
    const demand = { ...payment().demand, from: ['operator'] };
    const { approvalId } = await world.file(payment({ demand }));
    await world.clock.advance(TEN_MINUTES / 2);
    expect(eventsIn(world)).toEqual(['filed agent-7', 'escalated governance']);
    expect(await world.approvals.vote(approvalId, approving(admin))).toMatchObject({
      state: 'approved',
    });
  });

  it('is noted of what is filed while the watch sleeps for another', async () => {
    await using world = openWorld({}, { isWatched: true });
    const longer = { ...payment().demand, expiresMs: 10 * TEN_MINUTES };
    await world.file(payment({ idempotencyKey: 'long', demand: longer }));
    await turn();
    await world.file(payment());
    await world.clock.advance(TEN_MINUTES);
    expect(eventsIn(world)).toContain('expired governance');
  });

  it('is seen by whoever looks, also where nobody watches it', async () => {
    using file = temporaryFile();
    await using world = openWorld(ESCALATION, { file: file.file });
    const demand = { ...payment().demand, from: ['operator'] };
    const { approvalId } = await world.file(payment({ demand }));
    await world.clock.advance(TEN_MINUTES / 2);
    const escalated = world.approvals.get(approvalId);
    expect(escalated).toMatchObject({ state: 'pending', escalatedTo: ['admin'] });
    expect(escalated && world.approvals.obstacleOf(admin, escalated)).toBeUndefined();
    await world.clock.advance(TEN_MINUTES / 2);
    const now = world.clock.now();
    expect(world.approvals.get(approvalId)).toMatchObject({ state: 'expired', endedAt: now });
    expect(world.approvals.contentOf(approvalId)).toBeUndefined();
    expect(world.approvals.list({ states: ['pending'] }).approvals).toEqual([]);
    expect(world.approvals.list({ states: ['expired'] }).approvals).toHaveLength(1);
    expect(world.approvals.groups({ states: ['pending'] })).toEqual([]);
    expect(listApprovals(world.approvals, { person: ada }).text).toContain('Nothing waits');
    expect(auditLogOf(world.ledger).card(now).pendingApprovals).toBe(0);
    using outside = openAuditLog(file.file);
    expect(outside.card(now).pendingApprovals).toBe(0);
    expect(outside.card(now - 1).pendingApprovals).toBe(1);
    expect(eventsIn(world)).toEqual(['filed agent-7']); // nobody has written it
  });

  it('is tried again while the log cannot be written', async () => {
    let isBroken = false;
    const commit = (database: DatabaseSync) => {
      if (isBroken) throw new Error('disk full');
      database.exec('COMMIT');
    };
    await using world = openWorld({}, { commit, isWatched: true });
    await world.file(payment());
    isBroken = true;
    await world.clock.advance(TEN_MINUTES);
    expect(eventsIn(world)).toEqual(['filed agent-7']);
    isBroken = false;
    await world.clock.advance(60_000);
    expect(eventsIn(world)).toEqual(['filed agent-7', 'expired governance']);
  });

  it('holds up no run on a clock of its own making, and nothing is done after the watch ends', async () => {
    const clock = new ManualClock();
    const governance = await createGovernance(
      { policy: defaultPolicyFile.pathname, database: ':memory:', followPolicy: false },
      { clock },
    );
    const startedAt = clock.now();
    await clock.run(async () => {
      const send = governance.govern(async () => 'sent', {
        name: 'msgraph.mail.send',
        tier: 3,
        rationale: 'asked by the test',
      });
      await expect(send()).rejects.toThrow('approval');
      await clock.sleep(10);
    });
    expect(clock.now()).toBe(startedAt + 10);
    await governance.close();
    await clock.advance(30 * 24 * 3_600_000);
  });

  it('keeps no process alive', async () => {
    using file = temporaryFile();
    const script = fileURLToPath(new URL('approvals/unclosed-child.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=@buddy/source', script, file.file]);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = await once(child, 'close'); // else this test is ended by its time
    expect([code, said]).toEqual([0, expect.stringContaining('needs approval')]);
  });
});

type World = ReturnType<typeof openWorld>;

function eventsIn({ ledger }: World): string[] {
  const entries = auditLogOf(ledger).query({ kind: 'approval' }).entries.toReversed();
  return entries.map((entry) => (entry.kind === 'approval' ? `${entry.event} ${entry.by.id}` : ''));
}
