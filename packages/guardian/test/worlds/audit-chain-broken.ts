import { auditTamper } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { type AuditWorld, makeAuditWorld } from './audit-world.ts';

const { signal } = new AbortController();

export async function openTamperedAuditWorld(): Promise<PlaybookWorld> {
  const world = await makeAuditWorld();
  const { audit, kit } = world;
  return {
    resources: [{ id: 'audit', adapter: audit }],
    subject: 'audit',
    fault: {
      name: 'auditTamper',
      apply: async () => {
        await kit.inject(auditTamper, { file: audit.current().file });
      },
      // Whether what is added to now is whole; what was sealed stays as it is.
      isPresent: async () => !(await verifies(audit)),
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'audit.chain_broken' }),
    state: async () => ({
      segment: audit.segment().id,
      isFrozen: await audit.isFrozen(signal),
      isFirstSealed: await audit.isSealed('segment-1', signal),
    }),
    // Nothing of it is taken back: that is the safe side.
    afterRollback: () => ({ segment: 'segment-2', isFrozen: true, isFirstSealed: true }),
    handBack: () => world.gate.adapter.unfreeze(signal),
    close: () => world.close(),
  };
}

async function verifies(audit: AuditWorld['audit']): Promise<boolean> {
  return (await audit.verify(signal)).status === 'HEALTHY';
}
