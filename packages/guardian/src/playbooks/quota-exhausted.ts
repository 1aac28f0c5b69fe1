import type { Symptom } from '../incident/symptom.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

/** Nobody says until when: asked again after so long, in ms. */
const WAIT_MS = 60_000;

/**
 * A quota is used up: another way that the policy allows is taken, else nothing is called until it is refilled. Nothing is ever
 * restarted for it: a restart refills nothing, and costs more of it.
 */
export const quotaExhausted = definePlaybook({
  id: 'quota_exhausted',
  name: 'Quota exhausted',
  description:
    'Goes another way that the policy allows and turns low priority away; without one, waits until the reset and tells callers when that is. Never restarts anything.',
  category: 'ai',
  tier: 2,
  priority: 6,
  needs: { quota: 'quota' },
  triggers: [on(['http.429', 'quota.exhausted', 'budget.exhausted'])],
  contraindicatedBy: [],
  diagnose: async ({ resources: { quota }, symptom, clock }) => {
    const used = quota.route();
    const free = quota
      .routes()
      .find((route) => route !== used && quota.exhaustedUntil(route) === undefined);
    const until =
      quota.exhaustedUntil(used) ?? resetOf(symptom, clock.now()) ?? clock.now() + WAIT_MS;
    return { free: free ?? null, until };
  },
  steps: (step) => [
    step({
      id: 'shed',
      description: 'Turns away what is of low priority.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['quota.shedLowPriority'],
      when: ({ diagnosis }) => diagnosis.free !== null,
      before: async ({ resources }) => ({ isShedding: resources.quota.isShedding() }),
      run: ({ resources, signal }) => resources.quota.shedLowPriority(signal),
      undo: {
        description: 'Lets all through again, unless it was turned away before.',
        effects: ['quota.stopShedding'],
        run: async ({ resources, before, signal }) => {
          if (!before.isShedding) await resources.quota.stopShedding(signal);
        },
      },
    }),
    step({
      id: 'use_other_route',
      description: 'Goes another way that the policy allows and that is not used up.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['quota.useRoute'],
      when: ({ diagnosis }) => diagnosis.free !== null,
      before: async ({ resources }) => ({ route: resources.quota.route() }),
      run: async ({ resources, diagnosis: { free }, signal }) => {
        if (free !== null) await resources.quota.useRoute(free, signal);
      },
      undo: {
        description: 'Goes the way before.',
        effects: ['quota.useRoute'],
        run: ({ resources, before, signal }) => resources.quota.useRoute(before.route, signal),
      },
    }),
    step({
      id: 'wait_until_reset',
      description: 'Calls nothing until the reset; who asks is told when.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['quota.waitUntil'],
      when: ({ diagnosis }) => diagnosis.free === null,
      before: async ({ resources }) => ({ until: resources.quota.waitsUntil() ?? null }),
      run: ({ resources, diagnosis, signal }) => resources.quota.waitUntil(diagnosis.until, signal),
      undo: {
        description: 'Waits as long as was waited for before, or not at all.',
        effects: ['quota.waitUntil', 'quota.stopWaiting'],
        run: async ({ resources: { quota }, before: { until }, signal }) => {
          if (until === null) await quota.stopWaiting(signal);
          else await quota.waitUntil(until, signal);
        },
      },
    }),
  ],
  verify: { checks: [probeOf('quota')], withinMs: 3_000, stableForMs: 500 },
  mttrTargetMs: 5_000,
});

/** When the one who reported it says that it will be refilled. */
function resetOf({ conditions }: Symptom, now: number): number | undefined {
  const until = conditions.find(({ name }) => name === 'quota_exhausted')?.until;
  return until !== undefined && until > now ? until : undefined;
}
