import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';
import type { AuditLogAdapter } from '../resource/adapters/safeguards.ts';
import type { Reading } from '../resource/reading.ts';

/** The log was tampered with, or cannot be added to: nothing of consequence is done, the evidence is kept, and another segment goes on. */
export const auditChainBroken = definePlaybook({
  id: 'audit_chain_broken',
  name: 'Audit chain broken',
  description:
    'Denies what is of consequence, seals the broken segment as evidence, and goes on in a new one that names its end. A person opens the gate again.',
  category: 'governance',
  tier: 4,
  priority: 9,
  needs: { audit: 'audit_log' },
  triggers: [on(['audit.chain_broken', 'audit.not_writable'])],
  contraindicatedBy: [],
  diagnose: async ({ resources }) => ({ segment: resources.audit.segment().id }),
  // Of tier 2, so that nothing has to be earned for it: each of them is the safe direction.
  steps: (step) => [
    step({
      id: 'freeze',
      description: 'Denies what is of tier 3 or more.',
      tier: 2,
      timeoutMs: 2_000,
      effects: ['audit.freeze'],
      run: ({ resources, signal }) => resources.audit.freeze(signal),
      undo: irreversible('it stays frozen: that is the safe side, and a person opens it'),
    }),
    step({
      id: 'seal',
      description: 'Lets nobody add to the broken segment any more.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['audit.seal'],
      before: async ({ diagnosis }) => ({ segment: diagnosis.segment }),
      run: ({ resources, before, signal }) => resources.audit.seal(before.segment, signal),
      undo: irreversible('it is evidence now; a person decides what becomes of it'),
    }),
    step({
      id: 'open_segment',
      description: 'Goes on in a new segment, in another place, that names the end of the sealed.',
      tier: 2,
      timeoutMs: 10_000,
      effects: ['audit.openSegment'],
      before: async ({ diagnosis }) => ({ after: diagnosis.segment }),
      run: ({ resources, before, signal }) => resources.audit.openSegment(before.after, signal),
      undo: irreversible('what was added to it belongs to the log'),
    }),
    step({
      id: 'investigate',
      description: 'Somebody finds out who changed the log, and opens the gate.',
      tier: 4,
      instructions: [
        'Look into the sealed segment: what was changed, since when, and by whom.',
        'Hold it against checkpoints that were kept elsewhere.',
        'Then open the gate again; nothing opens it by itself.',
      ],
    }),
  ],
  verify: {
    checks: [
      {
        name: 'an entry can be added, is signed, and the segment is whole',
        run: ({ resources, signal }) => resources.audit.appendCanary(signal),
      },
      {
        name: 'it goes on from a sealed segment',
        run: ({ resources, signal }) => checkLink(resources.audit, signal),
      },
    ],
    withinMs: 5_000,
    stableForMs: 500,
  },
  mttrTargetMs: 5_000,
});

async function checkLink(audit: AuditLogAdapter, signal: AbortSignal): Promise<Reading> {
  const { id, continues } = audit.segment();
  const isSealed = continues !== undefined && (await audit.isSealed(continues.id, signal));
  const isFrozen = await audit.isFrozen(signal);
  if (isSealed && isFrozen) return { status: 'HEALTHY' };
  const note = `${id} continues a sealed segment: ${isSealed}, frozen: ${isFrozen}`;
  return { status: 'FAILED', signal: 'audit.chain_broken', certainty: 'decisive', note };
}
