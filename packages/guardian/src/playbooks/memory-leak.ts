import type { VitalsAdapter } from '../resource/adapters/service.ts';
import type { Reading } from '../resource/reading.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** A replaced process uses less than this share of what the leaking one did. */
const RELIEF = 0.8;

/** The memory of a service grows towards its limit: it is asked to let go, and replaced before it is full. */
export const memoryLeak = definePlaybook({
  id: 'memory_leak',
  name: 'Memory leak',
  description:
    'Asks a service whose memory grows to let go of its caches; when that is not enough, replaces it before its memory is full.',
  category: 'resource',
  tier: 3,
  priority: 6,
  needs: { service: 'service', vitals: 'vitals' },
  triggers: [on('memory.leaking')],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources: { vitals }, symptom, signal }) => ({
    canAsk: (await vitals.canOpen(0, signal)) === true,
    usedBytes: usedBytes(symptom.data) ?? (await vitals.read(signal))?.memory.usedBytes ?? 0,
  }),
  steps: (step) => [
    step({
      id: 'drop_caches',
      description: 'Asks it to let go of its caches.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['vitals.shed'],
      when: ({ diagnosis }) => diagnosis.canAsk,
      run: ({ resources, signal }) => resources.vitals.shed(signal),
      undo: irreversible('caches fill again by themselves'),
    }),
    step({
      id: 'replace',
      description: 'When that freed too little: starts the service anew.',
      tier: 3,
      timeoutMs: 20_000,
      effects: ['service.stop', 'service.start'],
      before: async ({ diagnosis }) => ({ usedBytes: diagnosis.usedBytes }),
      run: async ({ resources: { service, vitals }, before, signal }) => {
        if ((await checkRelief(vitals, before.usedBytes, signal)).status === 'HEALTHY') return;
        await service.stop(signal);
        await service.start(signal);
      },
      undo: {
        description: 'Sees that the service runs: what was ended is not revived.',
        effects: ['service.start'],
        run: ({ resources, signal }) => resources.service.start(signal),
      },
      ifRefused: 'skip',
    }),
  ],
  verify: {
    checks: [
      probeOf('service'),
      {
        name: 'its memory shrank',
        run: ({ resources, symptom, signal }) =>
          checkRelief(resources.vitals, usedBytes(symptom.data), signal),
      },
      probeOf('vitals'),
    ],
    intervalMs: 50,
    withinMs: 20_000,
  },
  mttrTargetMs: 60_000,
});

/** What the leaking process used when it was noticed, as `memory.leaking` tells. */
function usedBytes(data: Readonly<Record<string, unknown>>): number | undefined {
  const told = data['used_bytes'];
  return typeof told === 'number' ? told : undefined;
}

async function checkRelief(
  vitals: VitalsAdapter,
  before: number | undefined,
  signal: AbortSignal,
): Promise<Reading> {
  const found = await vitals.read(signal);
  if (!found) return { status: 'UNKNOWN', reason: 'stale', note: 'it does not run' };
  if (before === undefined) {
    const note = 'the symptom does not tell what was used (used_bytes)';
    return { status: 'UNKNOWN', reason: 'probe_error', note };
  }
  const note = `${found.memory.usedBytes} bytes are used, and ${before} were`;
  if (found.memory.usedBytes < before * RELIEF) return { status: 'HEALTHY', note };
  return { status: 'FAILED', signal: 'memory.leaking', certainty: 'ambiguous', note };
}
