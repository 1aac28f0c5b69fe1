import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import type { SandboxAdapter } from '../resource/adapters/safeguards.ts';

/** Code got out of its sandbox, tried to, or the sandbox is silent: it is ended, made anew, and its jobs get one more try. */
export const sandboxBreach = definePlaybook({
  id: 'sandbox_breach',
  name: 'Sandbox breach',
  description:
    'Takes all grants away, ends the sandbox with everything in it, builds it anew from the pinned template, and runs its jobs once more.',
  category: 'governance',
  tier: 3,
  priority: 9,
  needs: { sandbox: 'sandbox' },
  triggers: [on(['sandbox.breached', 'sandbox.violated', 'sandbox.silent', 'sandbox.sick'])],
  contraindicatedBy: [],
  diagnose: async ({ resources, signal }) => ({ jobs: await resources.sandbox.jobs(signal) }),
  steps: (step) => [
    step({
      id: 'contain',
      description: 'Takes all grants away and ends the sandbox.',
      // Of tier 2, so that nothing has to be earned for it: an end is the safe direction.
      tier: 2,
      timeoutMs: 5_000,
      effects: ['sandbox.revokeGrants', 'sandbox.destroy'],
      run: async ({ resources: { sandbox }, signal }) => {
        await sandbox.revokeGrants(signal);
        await sandbox.destroy(signal);
      },
      undo: {
        irreversible: 'it stays ended: that is the safe side, and somebody opens it',
        compensate: {
          description: 'Quarantines the jobs that were in it.',
          effects: ['sandbox.quarantineJob'],
          // Those that there are by now: some came after the diagnosis, and whoever asked for one waits.
          run: ({ resources: { sandbox }, signal }) => quarantineAll(sandbox, signal),
        },
      },
    }),
    step({
      id: 'rebuild',
      description: 'Builds a new one from the pinned template.',
      tier: 3,
      timeoutMs: 10_000,
      effects: ['sandbox.rebuild'],
      run: ({ resources, signal }) => resources.sandbox.rebuild(signal),
      undo: {
        description: 'Ends the new one.',
        effects: ['sandbox.destroy'],
        run: ({ resources, signal }) => resources.sandbox.destroy(signal),
      },
    }),
    step({
      id: 'requeue_jobs',
      description:
        'Runs each job that was in it once more; one that had its second try is quarantined.',
      tier: 3,
      timeoutMs: 5_000,
      effects: ['sandbox.requeueOnce'],
      // Those that wait by now, and not only those of the diagnosis; what runs in the new one is left alone.
      run: async ({ resources: { sandbox }, signal }) => {
        for (const job of await sandbox.jobs(signal)) await sandbox.requeueOnce(job, signal);
      },
      undo: {
        description: 'Quarantines them: the new sandbox is ended next.',
        effects: ['sandbox.quarantineJob'],
        run: ({ resources: { sandbox }, signal }) => quarantineAll(sandbox, signal),
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'every attempt to escape is denied',
        run: ({ resources, signal }) => resources.sandbox.escapeCanaries(signal),
      },
      {
        name: 'a harmless job works',
        run: ({ resources, signal }) => resources.sandbox.smokeTest(signal),
      },
    ],
    withinMs: 5_000,
    stableForMs: 1_000,
  },
  mttrTargetMs: 10_000,
});

async function quarantineAll(sandbox: SandboxAdapter, signal: AbortSignal): Promise<void> {
  for (const job of await sandbox.jobs(signal)) await sandbox.quarantineJob(job, signal);
}
