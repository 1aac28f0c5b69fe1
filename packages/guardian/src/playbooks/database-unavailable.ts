import { GuardianMisuseError } from '../errors.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';
import type { PostgresAdapter } from '../resource/adapters/database.ts';

/** A database server is gone, hangs, is damaged, or has cut its connections: it is started, or another is used, and connections are made anew. */
export const databaseUnavailable = definePlaybook({
  id: 'database_unavailable',
  name: 'Database unavailable',
  description:
    'Starts the server when it is ours, leads to another when it is not or is damaged, and makes the connections anew.',
  category: 'data',
  tier: 3,
  priority: 9,
  needs: { database: 'postgres' },
  triggers: [on(['database.unavailable', 'database.corrupted', 'probe.timeout'])],
  contraindicatedBy: ['disk_full'],
  diagnose: async ({ resources: { database }, symptom, signal }) => {
    const target = database.target();
    const isDamaged = symptom.signal === 'database.corrupted';
    const isReachable = (await database.probeTarget(target, signal)).status === 'HEALTHY';
    const server = await database.server(signal);
    // A start mends no pages: what is damaged is left, and left alone.
    const mayStart = server !== 'not_ours' && !isDamaged;
    const needsOther = isDamaged || (!isReachable && !mayStart);
    const other = needsOther ? await findOther(database, signal) : null;
    if (needsOther && other === null) {
      const trouble = isDamaged ? 'is damaged' : 'does not answer, is not ours to start';
      throw new GuardianMisuseError(
        `${target} ${trouble}, and no other server that has the data answers: somebody has to look.`,
      );
    }
    return { mustStart: !isReachable && mayStart, server, other };
  },
  steps: (step) => [
    step({
      id: 'end_server',
      description: 'Ends a server of ours that runs and does not answer.',
      tier: 3,
      timeoutMs: 15_000,
      effects: ['database.stopServer'],
      when: ({ diagnosis }) => diagnosis.mustStart && diagnosis.server === 'running',
      run: ({ resources, signal }) => resources.database.stopServer(signal),
      undo: {
        description: 'Starts the server again: what was ended is not revived.',
        effects: ['database.startServer'],
        run: ({ resources, signal }) => resources.database.startServer(signal),
      },
    }),
    step({
      id: 'start_server',
      description: 'Waits until what is left of the old server is gone, and starts it.',
      tier: 3,
      timeoutMs: 45_000,
      effects: ['database.startServer'],
      when: ({ diagnosis }) => diagnosis.mustStart,
      run: ({ resources, signal }) => resources.database.startServer(signal),
      undo: {
        description: 'Stops what was started.',
        effects: ['database.stopServer'],
        run: ({ resources, signal }) => resources.database.stopServer(signal),
      },
    }),
    step({
      id: 'switch_target',
      description: 'Leads the application to another server that has the data.',
      tier: 3,
      timeoutMs: 5_000,
      effects: ['database.useTarget'],
      when: ({ diagnosis }) => diagnosis.other !== null,
      before: async ({ resources }) => ({ target: resources.database.target() }),
      run: async ({ resources, diagnosis, signal }) => {
        if (diagnosis.other === null) return;
        await resources.database.useTarget(diagnosis.other, signal);
      },
      undo: {
        description: 'Leads it back to the server before.',
        effects: ['database.useTarget'],
        run: ({ resources, before, signal }) => resources.database.useTarget(before.target, signal),
      },
    }),
    step({
      id: 'renew_connections',
      description: 'Drops all connections; new ones are made when they are asked for.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['database.dropPool'],
      run: ({ resources, signal }) => resources.database.dropPool(signal),
      undo: irreversible('connections are made anew when they are asked for'),
    }),
  ],
  verify: {
    checks: [
      {
        name: 'it takes a write, where it is to, and the pool gives connections',
        run: ({ resources, signal }) => resources.database.writeCanary(signal),
      },
    ],
    intervalMs: 50,
    withinMs: 15_000,
  },
  mttrTargetMs: 60_000,
});

/** The first that takes writes, else the first that answers; null when none does. */
async function findOther(database: PostgresAdapter, signal: AbortSignal): Promise<string | null> {
  const current = database.target();
  const others = database.targets().filter((target) => target !== current);
  const readings = await Promise.all(
    others.map(async (target) => ({ target, reading: await database.probeTarget(target, signal) })),
  );
  const well = readings.filter(({ reading }) => reading.status === 'HEALTHY');
  const writable = well.find(({ reading }) => !('note' in reading));
  return (writable ?? well[0])?.target ?? null;
}
