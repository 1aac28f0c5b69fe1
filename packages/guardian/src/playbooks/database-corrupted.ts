import { GuardianMisuseError } from '../errors.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** A database file is damaged or gone: it is set aside, and the newest backup that is whole takes its place. */
export const databaseCorrupted = definePlaybook({
  id: 'database_corrupted',
  name: 'Database corrupted',
  description:
    'Stops the writers, sets the damaged file aside with its journals, restores the newest backup that is whole, and does again what a journal of the application tells.',
  category: 'data',
  tier: 3,
  priority: 10,
  needs: { database: 'sqlite' },
  triggers: [on(['database.corrupted', 'database.missing'])],
  contraindicatedBy: ['disk_full'],
  diagnose: async ({ resources: { database }, clock, signal }) => {
    for (const { id, takenAt } of await database.backups(signal)) {
      const { status } = await database.checkBackup(id, signal);
      if (status === 'HEALTHY') return { backup: id, lostMs: clock.now() - takenAt };
    }
    throw new GuardianMisuseError(
      'There is no backup that is whole, so the damaged file is left where it is: somebody has to look.',
    );
  },
  steps: (step) => [
    step({
      id: 'stop_writers',
      description: 'Has every connection closed.',
      tier: 3,
      timeoutMs: 15_000,
      effects: ['database.stopWriters'],
      run: ({ resources, signal }) => resources.database.stopWriters(signal),
      undo: {
        description: 'Lets the application open it again.',
        effects: ['database.resumeWriters'],
        run: ({ resources, signal }) => resources.database.resumeWriters(signal),
      },
    }),
    step({
      id: 'set_aside',
      description: 'Sets the file and its journals aside, whole.',
      tier: 3,
      timeoutMs: 10_000,
      effects: ['database.quarantine'],
      before: async ({ clock }) => ({ name: `damaged-${clock.now()}` }),
      run: ({ resources, before, signal }) => resources.database.quarantine(before.name, signal),
      undo: {
        description: 'Puts the damaged file back, for reading only.',
        effects: ['database.putBack'],
        run: ({ resources, before, signal }) => resources.database.putBack(before.name, signal),
      },
    }),
    step({
      id: 'restore',
      description: 'Puts the newest whole backup in its place.',
      tier: 3,
      timeoutMs: 60_000,
      effects: ['database.restore'],
      before: async ({ diagnosis, clock }) => ({
        backup: diagnosis.backup,
        name: `restored-${clock.now()}`,
      }),
      run: ({ resources, before, signal }) => resources.database.restore(before.backup, signal),
      undo: {
        description: 'Sets aside what was restored, with all that was written into it since.',
        effects: ['database.quarantine'],
        run: ({ resources, before, signal }) => resources.database.quarantine(before.name, signal),
      },
    }),
    step({
      id: 'replay',
      description: 'Does again what was written since the backup.',
      tier: 3,
      timeoutMs: 60_000,
      effects: ['database.replayJournal'],
      when: ({ resources }) => resources.database.hasJournal(),
      before: async ({ diagnosis }) => ({ backup: diagnosis.backup }),
      run: ({ resources, before, signal }) =>
        resources.database.replayJournal(before.backup, signal),
      undo: irreversible('it is written into what was restored, and set aside with it'),
    }),
    step({
      id: 'resume_writers',
      description: 'Lets the application open it again.',
      tier: 3,
      timeoutMs: 10_000,
      effects: ['database.resumeWriters'],
      run: ({ resources, signal }) => resources.database.resumeWriters(signal),
      undo: {
        description: 'Has every connection closed again.',
        effects: ['database.stopWriters'],
        run: ({ resources, signal }) => resources.database.stopWriters(signal),
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'every page and index is whole',
        run: ({ resources, signal }) => resources.database.check('full', signal),
      },
      {
        name: 'it takes a write',
        run: ({ resources, signal }) => resources.database.writeCanary(signal),
      },
    ],
    withinMs: 30_000,
  },
  mttrTargetMs: 60_000,
});
