import { createReceiptGate } from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';

const { signal } = new AbortController();

export async function openBypassWorld(): Promise<PlaybookWorld> {
  let isBypassed = false;
  const gate = createReceiptGate({
    guard: {
      decide: async ({ tool }) => (isBypassed || tool === 'crm.read' ? 'allow' : 'deny'),
      policyDigest: () => (isBypassed ? 'somebody-elses' : 'pinned'),
      reload: async () => {
        isBypassed = false;
      },
    },
    canaries: {
      deny: { id: 'deny-canary', tool: 'crm.drop', args: {} },
      allow: { id: 'allow-canary', tool: 'crm.read', args: {} },
    },
    pinnedDigest: 'pinned',
  });
  const { adapter } = gate;
  const drop = { id: '1', tool: 'crm.drop', args: {} };
  return {
    resources: [{ id: 'gate', adapter }],
    subject: 'gate',
    fault: {
      name: 'the guard allows all, and a tool is called around it',
      apply: async () => {
        isBypassed = true;
        gate.noteEffect(drop, undefined);
      },
      isPresent: async () =>
        gate.admit({ ...drop, id: '2' }).then(
          () => true,
          () => isBypassed,
        ),
      revert: async () => {
        isBypassed = false;
      },
    },
    symptom: async () => ({ signal: 'guardrail.bypassed' }),
    state: async () => ({
      isFrozen: await adapter.isFrozen(signal),
      isBypassed,
      quarantined: gate.quarantined.length,
    }),
    // Whatever else became of it: everything is denied.
    afterRollback: () => ({ isFrozen: true, isBypassed: false, quarantined: 1 }),
    close: async () => undefined,
  };
}
