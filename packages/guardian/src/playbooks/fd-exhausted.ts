import type { LaunchAdapter, VitalsAdapter } from '../resource/adapters/service.ts';
import type { Reading } from '../resource/reading.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** So many have to be free for it to do its work. */
const SPARE = 64;
/** In a limit too small for that, this share of it. */
const SPARE_SHARE = 0.25;

/** A service has used up its descriptors: it is asked to close what is idle, and replaced when that is not enough. */
export const fdExhausted = definePlaybook({
  id: 'fd_exhausted',
  name: 'File descriptors exhausted',
  description:
    'Asks the service to close what is idle; when that is not enough, starts it anew with a higher limit, within its cap.',
  category: 'resource',
  tier: 3,
  priority: 7,
  needs: { service: 'service', vitals: 'vitals', launch: 'launch' },
  triggers: [on('fds.exhausted')],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources: { vitals, launch }, signal }) => ({
    canAsk: (await vitals.canOpen(0, signal)) === true,
    limit: launch.settings().openFiles,
    raiseTo: roomFor(launch),
  }),
  steps: (step) => [
    step({
      id: 'close_idle',
      description: 'Asks it to close what it can do without.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['vitals.shed'],
      when: ({ diagnosis }) => diagnosis.canAsk,
      run: ({ resources, signal }) => resources.vitals.shed(signal),
      undo: irreversible('idle connections are opened anew when they are needed'),
    }),
    step({
      id: 'replace',
      description: 'When that was not enough: starts it anew with a higher limit.',
      tier: 3,
      timeoutMs: 20_000,
      effects: ['launch.limitOpenFiles', 'service.stop', 'service.start'],
      before: async ({ diagnosis }) => ({ limit: diagnosis.limit }),
      run: async ({ resources: { service, vitals, launch }, diagnosis, signal }) => {
        if ((await checkRoom(vitals, signal)).status === 'HEALTHY') return;
        if (diagnosis.raiseTo !== null) await launch.limitOpenFiles(diagnosis.raiseTo, signal);
        await service.stop(signal);
        await service.start(signal);
      },
      undo: {
        description: 'Sets the limit that was before, and sees that the service runs with it.',
        effects: ['launch.limitOpenFiles', 'service.stop', 'service.start'],
        run: async ({ resources: { service, launch }, before, signal }) => {
          if (before.limit !== null && before.limit !== launch.settings().openFiles) {
            await launch.limitOpenFiles(before.limit, signal);
            await service.stop(signal);
          }
          await service.start(signal); // unless it runs
        },
      },
      ifRefused: 'skip',
    }),
  ],
  verify: {
    checks: [
      probeOf('service'),
      {
        name: 'it can open more',
        run: ({ resources, signal }) => checkRoom(resources.vitals, signal),
      },
    ],
    intervalMs: 50,
    withinMs: 15_000,
  },
  mttrTargetMs: 15_000,
});

/** Twice the limit, never beyond the cap; null when it stands there already, or is no business of ours. */
function roomFor(launch: Pick<LaunchAdapter, 'settings' | 'caps'>): number | null {
  const { openFiles } = launch.settings();
  const { openFiles: cap } = launch.caps();
  if (openFiles === null || cap === null) return null;
  const raised = Math.min(cap, openFiles * 2);
  return raised > openFiles ? raised : null;
}

async function checkRoom(vitals: VitalsAdapter, signal: AbortSignal): Promise<Reading> {
  const found = await vitals.read(signal);
  if (!found) return { status: 'UNKNOWN', reason: 'stale', note: 'it does not run' };
  const { count, limit } = found.openFiles;
  const note = `${count} of ${limit ?? 'any number of'} descriptors are open`;
  const wanted = Math.min(SPARE, Math.floor((limit ?? Infinity) * SPARE_SHARE));
  const couldOpen = await vitals.canOpen(wanted, signal);
  // What it can try itself is proof; else what is left of its limit is.
  const hasRoom = couldOpen ?? (limit === undefined || limit - count >= wanted);
  if (hasRoom) return { status: 'HEALTHY', note };
  return { status: 'FAILED', signal: 'fds.exhausted', certainty: 'decisive', note };
}
