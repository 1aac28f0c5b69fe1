import type { VitalsAdapter } from '../resource/adapters/service.ts';
import type { Reading } from '../resource/reading.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';
import { endService, startService } from './service-steps.ts';

/** Half of the turns of a loop that is free begin at most so late. */
const PROMPT_MS = 50;

/** The event loop of a service stands still: what it does is kept for people, and the process is replaced. */
export const eventLoopBlocked = definePlaybook({
  id: 'event_loop_blocked',
  name: 'Event loop blocked',
  description: 'Keeps a picture of what blocks the event loop, and replaces the process.',
  category: 'process',
  tier: 3,
  priority: 7,
  needs: { service: 'service', vitals: 'vitals' },
  triggers: [on('event_loop.blocked')],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources: { service, vitals }, signal }) => ({
    isRunning: (await service.state(signal)).is === 'running',
    canCapture: vitals.canCapture(),
  }),
  steps: (step) => [
    step({
      id: 'capture',
      description: 'Keeps what it runs at this moment, for people.',
      tier: 2,
      timeoutMs: 3_000,
      effects: ['vitals.capture'],
      when: ({ diagnosis }) => diagnosis.isRunning && diagnosis.canCapture,
      run: ({ resources, signal }) => resources.vitals.capture(signal),
      undo: irreversible('a picture that was kept does no harm'),
      ifRefused: 'skip',
    }),
    step({
      ...endService,
      tier: 3,
      description: 'Ends the process, by force when it does not listen.',
      when: ({ diagnosis }) => diagnosis.isRunning,
    }),
    step(startService),
  ],
  verify: {
    checks: [
      probeOf('service'),
      {
        name: 'its event loop turns',
        run: ({ resources, signal }) => checkLoop(resources.vitals, signal),
      },
    ],
    intervalMs: 50,
    withinMs: 15_000,
  },
  mttrTargetMs: 10_000,
});

async function checkLoop(vitals: VitalsAdapter, signal: AbortSignal): Promise<Reading> {
  const delayMs = (await vitals.read(signal))?.loopDelayMs;
  if (delayMs === undefined) {
    return { status: 'UNKNOWN', reason: 'warming_up', note: 'it does not tell of its event loop' };
  }
  const note = `its event loop is ${delayMs.toFixed(1)} ms late`;
  if (delayMs < PROMPT_MS) return { status: 'HEALTHY', note };
  return { status: 'FAILED', signal: 'event_loop.blocked', certainty: 'ambiguous', note };
}
