import type { DiskSpace, ReclaimableFile } from '../resource/adapters/files.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

/** A disk is full or soon will be: what was kept for that is given, what may go goes, and then it is kept again. */
export const diskFull = definePlaybook({
  id: 'disk_full',
  name: 'Disk full',
  description:
    'Lets writers of what is not essential wait, releases the ballast, moves away what may be thrown away, and makes the ballast anew.',
  category: 'resource',
  tier: 2,
  priority: 8,
  needs: { disk: 'disk' },
  triggers: [
    on(['disk.full', 'disk.low', 'disk.inodes_low', 'disk.filling', 'disk.ballast_missing']),
  ],
  contraindicatedBy: [],
  diagnose: async ({ resources: { disk }, signal }) => {
    const space = await disk.space(signal);
    return {
      space,
      writers: await disk.writers(signal),
      paths: oldestThatFreeEnough(await disk.reclaimable(signal), space),
    };
  },
  steps: (step) => [
    step({
      id: 'pause_writers',
      description: 'Lets those wait who write what is not essential.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['disk.pauseWriters'],
      when: ({ diagnosis }) => diagnosis.writers === 'writing',
      run: ({ resources, signal }) => resources.disk.pauseWriters(signal),
      undo: {
        description: 'Lets them write again.',
        effects: ['disk.resumeWriters'],
        run: ({ resources, signal }) => resources.disk.resumeWriters(signal),
      },
    }),
    step({
      id: 'release_ballast',
      description: 'Deletes the file that was kept to be deleted now.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['disk.releaseBallast'],
      when: ({ diagnosis }) => diagnosis.space.ballastBytes > 0,
      run: ({ resources, signal }) => resources.disk.releaseBallast(signal),
      undo: {
        description: 'Makes it again, as large as there is room for.',
        effects: ['disk.armBallast'],
        run: ({ resources, signal }) => resources.disk.armBallast(0, signal),
      },
    }),
    step({
      id: 'reclaim',
      description:
        'Takes away files that may be thrown away, the oldest first, until there is enough room.',
      tier: 2,
      timeoutMs: 20_000,
      effects: ['disk.reclaim'],
      when: ({ diagnosis }) => diagnosis.paths.length > 0,
      before: async ({ diagnosis }) => ({ paths: diagnosis.paths }),
      run: ({ resources, before, signal }) => resources.disk.reclaim(before.paths, signal),
      undo: {
        description:
          'Puts back what was moved to the spill folder; what was deleted for want of one is gone.',
        effects: ['disk.putBack'],
        run: ({ resources, before, signal }) => resources.disk.putBack(before.paths, signal),
      },
    }),
    step({
      id: 'arm_ballast',
      description: 'Makes the ballast anew, as far as the reserve stays free.',
      tier: 2,
      timeoutMs: 10_000,
      effects: ['disk.armBallast'],
      when: ({ diagnosis }) => diagnosis.space.fullBallastBytes > 0,
      run: ({ resources, diagnosis, signal }) =>
        resources.disk.armBallast(diagnosis.space.reserveBytes, signal),
      undo: {
        description: 'Deletes it.',
        effects: ['disk.releaseBallast'],
        run: ({ resources, signal }) => resources.disk.releaseBallast(signal),
      },
    }),
    step({
      id: 'resume_writers',
      description: 'Lets those write again who had to wait.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['disk.resumeWriters'],
      when: ({ diagnosis }) => diagnosis.writers !== 'none',
      run: ({ resources, signal }) => resources.disk.resumeWriters(signal),
      undo: {
        description: 'Lets them wait again.',
        effects: ['disk.pauseWriters'],
        run: ({ resources, signal }) => resources.disk.pauseWriters(signal),
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'what is written lands on the disk, and the reserve is free',
        run: ({ resources, signal }) => resources.disk.canWrite(signal),
      },
    ],
    withinMs: 5_000,
  },
  mttrTargetMs: 45_000,
});

/** As many of the oldest as it takes for the reserve and a whole ballast. */
function oldestThatFreeEnough(files: readonly ReclaimableFile[], space: DiskSpace): string[] {
  let bytes = space.reserveBytes + space.fullBallastBytes - space.freeBytes - space.ballastBytes;
  let inodes = space.reserveInodes - space.freeInodes;
  const chosen: string[] = [];
  for (const file of files) {
    if (bytes <= 0 && inodes <= 0) break;
    chosen.push(file.path);
    bytes -= file.bytes;
    inodes -= 1;
  }
  return chosen;
}
