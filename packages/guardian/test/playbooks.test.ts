import {
  createGuardian,
  guardrailBypassed,
  moduleNotFound,
  networkDegradation,
  portNotResponding,
  serviceCrashed,
} from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { describePlaybook } from './playbook-contract.ts';
import { openBypassWorld } from './worlds/guardrail-bypassed.ts';
import { openMissingModuleWorld } from './worlds/module-not-found.ts';
import { openSlowPathWorld } from './worlds/network-degradation.ts';
import { openHangWorld } from './worlds/port-not-responding.ts';
import { openCrashWorld } from './worlds/service-crashed.ts';

describePlaybook(guardrailBypassed, openBypassWorld);
describePlaybook(serviceCrashed, openCrashWorld);
describePlaybook(portNotResponding, openHangWorld);
describePlaybook(networkDegradation, openSlowPathWorld);
describePlaybook(moduleNotFound, openMissingModuleWorld);

describe('playbook module_not_found', () => {
  it('never installs what is not declared: somebody has to look', async () => {
    const world = await openMissingModuleWorld();
    await using guardian = createGuardian({}, { ...world, playbooks: [moduleNotFound] });
    await guardian.start();
    const { outcome } = await guardian.report({
      resource: 'api',
      signal: 'module.not_found',
      certainty: 'decisive',
      data: { stderr_tail: "Cannot find package 'left-pda' imported from /app.mjs" },
    });
    expect(await outcome).toBe('escalated');
    expect(guardian.openIncidents[0]?.reason).toContain('left-pda is not a declared package');
    await guardian.stop();
    await world.close();
  });
});
