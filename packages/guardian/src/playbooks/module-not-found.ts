import { missingModuleOf } from '../adapters/process/classify-exit.ts';
import { GuardianMisuseError } from '../errors.ts';
import type { Symptom } from '../incident/symptom.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import { startService } from './service-steps.ts';

/** A declared package is gone or broken: it is put back from the snapshot. What is not declared is never installed. */
export const moduleNotFound = definePlaybook({
  id: 'module_not_found',
  name: 'Module not found',
  description: 'Puts a declared package back as it was installed, and starts the service.',
  category: 'process',
  tier: 2,
  priority: 6,
  needs: { service: 'service', modules: 'modules' },
  triggers: [on(['module.not_found', 'module.broken'])],
  contraindicatedBy: ['disk_full'],
  diagnose: async ({ resources: { modules }, symptom, signal }) => {
    const [broken] = await modules.broken(signal);
    const name = missingPackage(symptom) ?? broken;
    if (name !== undefined && (await modules.isDeclared(name, signal))) return { name };
    throw new GuardianMisuseError(
      `${name ?? 'What is missing'} is not a declared package, so it is not installed: somebody has to look at the import.`,
    );
  },
  steps: (step) => [
    step({
      id: 'restore_package',
      description: 'Puts the package back from the snapshot; what was there is kept.',
      tier: 2,
      timeoutMs: 30_000,
      effects: ['modules.restore'],
      before: async ({ diagnosis }) => ({ name: diagnosis.name }),
      run: ({ resources, before, signal }) => resources.modules.restore(before.name, signal),
      undo: {
        description: 'Puts back what was there before.',
        effects: ['modules.putBack'],
        run: ({ resources, before, signal }) => resources.modules.putBack(before.name, signal),
      },
    }),
    step({
      ...startService,
      tier: 2,
    }),
  ],
  verify: {
    checks: [probeOf('modules'), probeOf('service')],
    intervalMs: 20,
    withinMs: 15_000,
  },
  mttrTargetMs: 20_000,
});

/** `greeter` of `Cannot find package 'greeter'`, `@scope/name` of `@scope/name/part`; none of a path. */
function missingPackage({ data }: Symptom): string | undefined {
  const { missing, stderr_tail: tail } = data;
  if (typeof missing === 'string') return missing;
  const specifier = missingModuleOf(typeof tail === 'string' ? tail : '');
  const inFolder = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(specifier ?? '')?.[1];
  if (inFolder !== undefined) return inFolder;
  return /^(?:@[^/]+\/)?[^./][^/]*/.exec(specifier ?? '')?.[0];
}
