import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGuardian, type Guardian, sandboxBreach, startCodeRunner } from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openSandboxWorld, type SandboxWorld } from '../worlds/sandbox.ts';

const { signal } = new AbortController();

describePlaybook(sandboxBreach, () => openSandboxWorld());

describe('playbook sandbox_breach', () => {
  let world: SandboxWorld;
  let guardian: Guardian;
  afterEach(async () => {
    await guardian.stop();
    await world.close();
  });
  const guard = async (onRevoked?: () => void) => {
    world = await openSandboxWorld({ onRevoked });
    guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000, autonomy: { 3: 'auto' } },
      { resources: world.resources, playbooks: [sandboxBreach] },
    );
    await guardian.start();
  };
  const report = async (symptom: string) => {
    const { outcome } = await guardian.report({
      resource: 'sandbox',
      signal: symptom,
      certainty: 'decisive',
    });
    return outcome;
  };

  it('is seen by code that really reads what it must not, and by nothing less', async () => {
    await guard();
    const { adapter } = world.guarded;
    expect(await adapter.probe(signal)).toEqual({ status: 'HEALTHY' });
    await world.fault.apply(signal);
    expect(await adapter.probe(signal)).toMatchObject({
      signal: 'sandbox.breached',
      note: 'not denied: reads a file, starts a process',
    });
  });

  it('takes the grants away, and runs the job that was in it once more', async () => {
    await guard();
    const { guarded, runner } = world;
    const job = guarded.run({
      id: 'job',
      code: 'await new Promise((resolve) => setTimeout(resolve, 300)); return 42',
    });
    process.kill(runner().pid, 'SIGSTOP');
    expect(await guarded.adapter.probe(signal)).toMatchObject({ signal: 'sandbox.silent' });
    const stopped = runner().pid;
    expect(await report('sandbox.silent')).toBe('restored');
    expect(await job).toMatchObject({ status: 'ok', value: 42 });
    expect(world.grants.size).toBe(0);
    expect(() => process.kill(stopped, 0)).toThrow('ESRCH');
  });

  it('runs a job once more that came when the sandbox was about to be ended', async () => {
    let late: Promise<unknown> | undefined;
    await guard(() => {
      late ??= world.guarded.run({ id: 'late', code: 'return 42' });
    });
    expect(await report('sandbox.silent')).toBe('restored');
    expect(await late).toMatchObject({ status: 'ok', value: 42 });
  });

  it('leaves no job waiting when no sandbox could be made', async () => {
    let late: Promise<unknown> | undefined;
    await guard(() => {
      late ??= world.guarded
        .run({ id: 'late', code: 'return 42' })
        .catch((error: unknown) => error);
      world.breakTemplate();
    });
    expect(await report('sandbox.silent')).not.toBe('restored');
    expect(await late).toMatchObject({ code: 'GUARDIAN_JOB_QUARANTINED', job: 'late' });
  });

  it('quarantines a job whose sandbox had to be ended twice', async () => {
    await guard();
    const { guarded } = world;
    const job = guarded.run({ id: 'bad', code: 'await new Promise(() => {})' });
    const caught = job.catch((error: unknown) => error);
    expect(await report('sandbox.silent')).toBe('restored');
    expect(await report('sandbox.breached')).toBe('restored');
    expect(await caught).toMatchObject({ code: 'GUARDIAN_JOB_QUARANTINED', job: 'bad' });
    expect(guarded.quarantined).toMatchObject([{ id: 'bad' }]);
  });

  it('hears of a job that tried what it must not, although it was stopped', async () => {
    await guard();
    const outcome = new Promise((resolve) => {
      guardian.events.on('outcomeDecided', (told) => resolve(told.outcome));
    });
    const { status } = await world.guarded.run({ id: 'curious', code: world.readSecret });
    expect(status).toBe('violation');
    expect(await outcome).toBe('restored');
  });

  it('does not run when there is no sandbox, and says so', async () => {
    await guard();
    await world.guarded.adapter.destroy(signal);
    await expect(world.guarded.run({ id: 'late', code: 'return 1' })).rejects.toMatchObject({
      code: 'GUARDIAN_SANDBOX_DOWN',
    });
  });

  it('never starts a program that is not the pinned one', async () => {
    await guard();
    const path = join(tmpdir(), `runner-${process.pid}.js`);
    await writeFile(path, 'process.exit(0)');
    const template = { path, sha256: '0'.repeat(64) };
    await expect(startCodeRunner({ command: 'node', template })).rejects.toMatchObject({
      code: 'GUARDIAN_TEMPLATE_CHANGED',
    });
  });
});
