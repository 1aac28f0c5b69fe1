import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  definePlaybook,
  type GuardianConfig,
  HEALTHY,
  type ModulesAdapter,
  on,
  type Playbook,
  probeOf,
  serviceCrashed,
} from '@buddy/guardian';

/** Installed modules of which one is a file: `broken` or `whole`. */
function modulesIn(file: string): ModulesAdapter {
  return {
    kind: 'modules',
    probe: async () =>
      readFileSync(file, 'utf8') === 'whole'
        ? HEALTHY
        : {
            status: 'FAILED',
            signal: 'module.broken',
            certainty: 'decisive',
            note: 'it is broken',
          },
    isDeclared: async () => true,
    broken: async () => ['tool'],
    restore: () => writeFile(file, 'whole'),
    putBack: () => writeFile(file, 'broken'),
  };
}

export function mendModule(id = 'mend_module'): Playbook {
  return definePlaybook({
    id,
    name: 'Mend module',
    description: 'Puts the module back.',
    category: 'config',
    tier: 2,
    priority: 9,
    needs: { modules: 'modules' },
    triggers: [on('module.broken')],
    contraindicatedBy: [],
    diagnose: async () => undefined,
    steps: (step) => [
      step({
        id: 'mend',
        description: 'Puts it back.',
        tier: 2,
        timeoutMs: 1_000,
        effects: ['modules.restore'],
        run: ({ resources, signal }) => resources.modules.restore('tool', signal),
        undo: {
          description: 'Puts back what was there before.',
          effects: ['modules.putBack'],
          run: ({ resources, signal }) => resources.modules.putBack('tool', signal),
        },
      }),
    ],
    verify: {
      checks: [probeOf('modules')],
      successes: 1,
      withinMs: 1_000,
      stableForMs: 1,
      intervalMs: 1,
    },
    mttrTargetMs: 5_000,
  });
}

/** A guardian's config over the files of a folder. */
export function workbench(
  folder: string,
): Required<Pick<GuardianConfig, 'resources'>> & GuardianConfig {
  return {
    resources: [{ id: 'tools', adapter: modulesIn(join(folder, 'tool')) }],
    playbooks: [mendModule(), serviceCrashed],
    options: { probeIntervalMs: 3_600_000 },
    store: join(folder, 'guardian.db'),
  };
}
