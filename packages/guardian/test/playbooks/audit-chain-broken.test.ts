import { chmod } from 'node:fs/promises';
import { auditChainBroken } from '@buddy/guardian';
import { auditTamper } from '@buddy/guardian/faults';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openTamperedAuditWorld } from '../worlds/audit-chain-broken.ts';
import { healOnce, noticeAndHeal } from '../worlds/heal-once.ts';
import { type AuditWorld, makeAuditWorld } from '../worlds/audit-world.ts';

const { signal } = new AbortController();

describePlaybook(auditChainBroken, openTamperedAuditWorld);

/** With what may run unattended by default: nothing is rehearsed. */
async function heal({ audit }: AuditWorld, told = 'audit.chain_broken') {
  return healOnce(audit, { playbooks: [auditChainBroken], told, autonomy: {} });
}

describe('playbook audit_chain_broken', () => {
  const worlds: AuditWorld[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });
  const makeWorld = async () => {
    const world = await makeAuditWorld();
    worlds.push(world);
    return world;
  };
  it.each(['change', 'delete'] as const)(
    'is told by the probe of an entry that was tampered with: %s',
    async (how) => {
      const { audit, kit } = await makeWorld();
      expect(await audit.probe(signal)).toEqual({ status: 'HEALTHY' });
      await kit.inject(auditTamper, { file: audit.current().file, seq: 4, how });
      expect(await audit.probe(signal)).toMatchObject({
        status: 'FAILED',
        signal: 'audit.chain_broken',
        note: expect.stringContaining('4'),
      });
    },
  );

  it('goes on in another folder, in a segment whose signed name has the last good root of the one before', async () => {
    const world = await makeWorld();
    await world.audit.probe(signal);
    const root = Buffer.from(
      (await world.audit.current().ledger.checkpoint())?.root ?? [],
    ).toString('hex');
    await world.kit.inject(auditTamper, { file: world.audit.current().file });
    expect((await heal(world)).outcome).toBe('restored');
    const { file, ledger } = world.audit.current();
    expect(file).toContain('/fallback/');
    expect(world.audit.segment().continues).toEqual({ id: 'segment-1', root });
    expect((await ledger.checkpoint())?.note).toContain(`after/${root}`);
  });

  it('notices by itself that the log was tampered with', async () => {
    const world = await makeWorld();
    const closed = await noticeAndHeal(world.audit, {
      playbooks: [auditChainBroken],
      inject: () => world.kit.inject(auditTamper, { file: world.audit.current().file }),
    });
    expect(closed).toEqual({ signal: 'audit.chain_broken', closedAs: 'restored' });
    expect(world.audit.segment().id).toBe('segment-2');
  });

  it('denies everything afterwards, and says so until a person opens it', async () => {
    const world = await makeWorld();
    await world.kit.inject(auditTamper, { file: world.audit.current().file });
    await heal(world);
    const call = { id: '1', tool: 'crm.read', args: {} };
    await expect(world.gate.admit(call)).rejects.toMatchObject({ code: 'GUARDIAN_GATE_DENIED' });
    expect(await world.audit.probe(signal)).toMatchObject({
      status: 'DEGRADED',
      signal: 'audit.frozen',
    });
    await world.gate.adapter.unfreeze(signal);
    expect(await world.audit.probe(signal)).toEqual({ status: 'HEALTHY' });
  });

  it('lets nobody write what is evidence', async () => {
    const world = await makeWorld();
    const { file } = world.audit.current();
    await world.kit.inject(auditTamper, { file });
    await heal(world);
    expect(await world.audit.isSealed('segment-1', signal)).toBe(true);
    expect(world.audit.current().file).not.toBe(file);
  });

  it('heals a log whose file nobody may write any more', async () => {
    const world = await makeWorld();
    await chmod(world.audit.current().file, 0o400);
    expect(await world.audit.probe(signal)).toMatchObject({ signal: 'audit.not_writable' });
    expect((await heal(world, 'audit.not_writable')).outcome).toBe('restored');
  });

  it('goes on in the new segment after the process was started again', async () => {
    const world = await makeWorld();
    await world.kit.inject(auditTamper, { file: world.audit.current().file });
    await heal(world);
    await world.audit.close();
    const audit = await world.reopen();
    expect(audit.segment()).toEqual(world.audit.segment());
    expect(await audit.appendCanary(signal)).toEqual({ status: 'HEALTHY' });
  });

  it('tells of an entry that the application could not add', async () => {
    const { audit } = await makeWorld();
    const told: string[] = [];
    audit.watch?.((sign) => told.push(`${sign.signal}: ${sign.note}`));
    audit.noteAppendFailed(new Error('ENOSPC'));
    expect(told).toEqual(['audit.not_writable: an entry could not be added: ENOSPC']);
  });
});
