import type { LaunchAdapter, VitalsAdapter } from '../resource/adapters/service.ts';
import type { Reading } from '../resource/reading.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import { endService, startService } from './service-steps.ts';

/** What it uses after its start, as a share of its limit, must be below this: else it will be full again soon. */
const ROOMY = 0.6;

/** A service filled its memory, or is about to: it is started anew, with more of it where the cap allows. */
export const outOfMemory = definePlaybook({
  id: 'out_of_memory',
  name: 'Out of memory',
  description: 'Raises the memory limit once, within its cap, and starts the service anew.',
  category: 'process',
  tier: 3,
  priority: 9,
  needs: { service: 'service', launch: 'launch', vitals: 'vitals' },
  triggers: [on(['process.out_of_memory', 'memory.high'])],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources: { service, launch }, signal }) => ({
    isRunning: (await service.state(signal)).is === 'running',
    raiseTo: roomFor(launch),
  }),
  steps: (step) => [
    step({
      ...endService,
      tier: 3,
      description:
        'Asks the service to finish what it does and to end, and ends it by force when it does not.',
      when: ({ diagnosis }) => diagnosis.isRunning,
    }),
    step({
      id: 'raise_limit',
      description:
        'Gives it twice the memory, as far as the cap goes. Once: more than that is a leak.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['launch.limitMemory'],
      when: ({ diagnosis }) => diagnosis.raiseTo !== null,
      before: async ({ resources }) => ({ megabytes: resources.launch.settings().memoryMb }),
      run: async ({ resources: { launch }, diagnosis, signal }) => {
        if (diagnosis.raiseTo !== null) await launch.limitMemory(diagnosis.raiseTo, signal);
      },
      undo: {
        description: 'Sets the limit that was before.',
        effects: ['launch.limitMemory'],
        run: async ({ resources: { launch }, before, signal }) => {
          if (before.megabytes !== null) await launch.limitMemory(before.megabytes, signal);
        },
      },
    }),
    step(startService),
  ],
  verify: {
    checks: [
      probeOf('service'),
      {
        name: 'its memory has room',
        run: ({ resources, signal }) => checkRoom(resources.vitals, signal),
      },
    ],
    intervalMs: 50,
    withinMs: 20_000,
  },
  mttrTargetMs: 30_000,
});

/** Twice the limit that it was given in the beginning, never beyond the cap; null when it has that already. */
function roomFor(
  launch: Pick<LaunchAdapter, 'settings' | 'caps' | 'usualMemoryMb'>,
): number | null {
  const { memoryMb } = launch.settings();
  const usual = launch.usualMemoryMb();
  const cap = launch.caps().memoryMb;
  if (memoryMb === null || usual === null || cap === null) return null;
  const raised = Math.min(cap, usual * 2);
  return raised > memoryMb ? raised : null;
}

async function checkRoom(vitals: VitalsAdapter, signal: AbortSignal): Promise<Reading> {
  const found = await vitals.read(signal);
  if (!found) return { status: 'UNKNOWN', reason: 'stale', note: 'it does not run' };
  const { usedBytes, limitBytes } = found.memory;
  if (limitBytes === undefined) {
    return { status: 'UNKNOWN', reason: 'warming_up', note: 'it does not tell of its memory' };
  }
  const note = `${usedBytes} of ${limitBytes} bytes are used`;
  if (usedBytes < limitBytes * ROOMY) return { status: 'HEALTHY', note };
  return { status: 'FAILED', signal: 'memory.high', certainty: 'ambiguous', note };
}
