import { createHarness, type Heal } from '@buddy/agents';
import { countingId, defineTool, seededRandom } from '@buddy/core';
import { createTaskHealer, type SymptomInput } from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FakeService, startWorld } from './fake-service.ts';

const { signal } = new AbortController();
const refused = { code: 'CRM_UNREACHABLE', message: 'connect ECONNREFUSED' };
const task = { taskId: 't1', action: 'crm.contacts.create', failure: refused };
const down: SymptomInput = { resource: 'crm', signal: 'process.exited', certainty: 'decisive' };

async function crmWorld() {
  const crm = new FakeService();
  const world = await startWorld({ resources: [{ id: 'crm', adapter: crm }] });
  return { crm, ...world };
}

describe('a healer of tasks', () => {
  it('says that one more try is worth it when what the task needs was mended', async () => {
    const { crm, clock, guardian } = await crmWorld();
    const heal = createTaskHealer(guardian, () => down);
    crm.isUp = false;
    expect(await clock.run(() => heal(task, { signal }))).toEqual({ isHealed: true });
    expect(crm.starts).toBe(1);
    await guardian.stop();
  });

  it('waits for the incident that is open, and has it healed once for all tasks', async () => {
    const { crm, clock, guardian } = await crmWorld();
    const heal = createTaskHealer(guardian, () => down);
    crm.isUp = false;
    const healed = await clock.run(() =>
      Promise.all([heal(task, { signal }), heal(task, { signal }), heal(task, { signal })]),
    );
    expect(healed).toEqual([{ isHealed: true }, { isHealed: true }, { isHealed: true }]);
    expect(crm.starts).toBe(1);
    await guardian.stop();
  });

  it('says no when nothing helped, and when an incident waits for its next try', async () => {
    const { crm, clock, guardian } = await crmWorld();
    const heal = createTaskHealer(guardian, () => down);
    crm.isUp = false;
    crm.startsWell = false;
    expect(await clock.run(() => heal(task, { signal }))).toEqual({ isHealed: false });
    expect(await clock.run(() => heal(task, { signal }))).toEqual({ isHealed: false });
    await guardian.stop();
  });

  it('asks nobody when the failure is the fault of the task', async () => {
    const { guardian } = await crmWorld();
    const heal = createTaskHealer(guardian, () => undefined);
    expect(await heal(task, { signal })).toEqual({ isHealed: false });
    expect(guardian.stats().ledger.symptoms).toBe(0);
    await guardian.stop();
  });

  it('waits no longer when it is aborted', async () => {
    const { crm, guardian } = await crmWorld();
    const heal = createTaskHealer(guardian, () => down);
    crm.isUp = false;
    const waiting = new AbortController();
    const healing = heal(task, { signal: waiting.signal });
    waiting.abort(new Error('the run was cancelled'));
    await expect(healing).rejects.toThrow('the run was cancelled');
    await guardian.stop();
  });

  it('fits the port of a harness: a task succeeds that failed for what was mended', async () => {
    const { crm, clock, guardian } = await crmWorld();
    const heal: Heal = createTaskHealer(guardian, ({ failure }) =>
      failure.message.includes('refused') ? down : undefined,
    );
    const call = defineTool({
      name: 'crm.contacts.find',
      description: 'Looks a contact up.',
      tier: 1,
      effect: 'pure',
      input: z.strictObject({}),
      output: z.object({ found: z.boolean() }),
      execute: async () => {
        if (!crm.isUp) throw new Error('connection refused');
        return { found: true };
      },
    });
    const harness = createHarness(
      { agents: [{ id: 'ada' }], seed: 1 },
      { tools: [call], clock, newId: countingId('run'), random: seededRandom(1), heal },
    );
    await harness.load({
      tasks: [
        `{"task_id":"t1","action":"${call.name}","input":{},"predicted_success_probability":0.9}`,
      ],
    });
    crm.isUp = false;
    const result = await clock.run(() => harness.run());
    expect(result).toMatchObject({ status: 'completed' });
    expect(crm.starts).toBe(1);
    await harness.close();
    await guardian.stop();
  });
});
