import { GuardianMisuseError } from '../errors.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** Writers wait for a transaction that does not end: one of ours gives it up. Another's is never touched. */
export const databaseLocked = definePlaybook({
  id: 'database_locked',
  name: 'Database locked',
  description:
    'Has the longest idle transaction of our own application given up, lets fewer write at once, and empties the journal.',
  category: 'data',
  tier: 2,
  priority: 7,
  needs: { database: ['sqlite', 'postgres'] },
  triggers: [on(['database.locked', 'database.pool_exhausted'])],
  contraindicatedBy: ['disk_full'],
  diagnose: async ({ resources: { database }, signal }) => {
    const holders = await database.lockHolders(signal);
    const ours = holders.find(({ isOurs }) => isOurs);
    if (ours || holders.length === 0) return { holder: ours?.id ?? null };
    throw new GuardianMisuseError(
      `It is held by ${holders.map(({ name }) => name).join(', ')}, which is not ours and is left alone: somebody has to look.`,
    );
  },
  steps: (step) => [
    step({
      id: 'end_transaction',
      description: 'Has the transaction for which the others wait given up.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['database.endTransaction'],
      when: ({ diagnosis }) => diagnosis.holder !== null,
      run: async ({ resources, diagnosis, signal }) => {
        if (diagnosis.holder === null) return;
        await resources.database.endTransaction(diagnosis.holder, signal);
      },
      undo: irreversible('its client is told that it failed, and does it again'),
    }),
    step({
      id: 'checkpoint',
      description: 'Plays the journal of a file into it, as far as that can be done now.',
      tier: 2,
      timeoutMs: 10_000,
      effects: ['database.checkpoint'],
      when: ({ resources }) => resources.database.kind === 'sqlite',
      run: async ({ resources: { database }, signal }) => {
        if (database.kind === 'sqlite') await database.checkpoint(signal);
      },
      undo: irreversible('it changes where something is kept, and not what'),
    }),
    step({
      id: 'limit_writers',
      description: 'Lets half as many write at once.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['database.limitWriters'],
      before: async ({ resources }) => ({ most: resources.database.writerLimit() }),
      run: ({ resources, before, signal }) =>
        resources.database.limitWriters(Math.max(1, Math.ceil(before.most / 2)), signal),
      undo: {
        description: 'Lets as many write as before.',
        effects: ['database.limitWriters'],
        run: ({ resources, before, signal }) =>
          resources.database.limitWriters(before.most, signal),
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'it takes a write, and fast',
        run: ({ resources, signal }) => resources.database.writeCanary(signal),
      },
    ],
    intervalMs: 50,
    withinMs: 8_000,
    stableForMs: 2_000,
  },
  mttrTargetMs: 15_000,
});
