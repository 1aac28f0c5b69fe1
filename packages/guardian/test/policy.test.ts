import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGovernance, loadPolicy } from '@buddy/governance';
import {
  builtinPlaybooks,
  createGuardian,
  definePlaybook,
  type GuardianInput,
  guardianPolicyFile,
  MemoryStore,
  on,
  type Playbook,
  policyFor,
  probeOf,
  type StepInput,
  type SymptomOutcome,
} from '@buddy/guardian';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeService } from './fake-service.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guardian-policy-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const NEEDS = { service: 'service' } as const;
type ServiceStep = StepInput<typeof NEEDS, undefined, null>;

/** Starts the service again by a step of this tier; tier 1 looks first. */
function restartOf(tier: 2 | 3 | 4, id = 'restart'): Playbook {
  const irreversible = 'only for this test';
  const look: ServiceStep = {
    id: 'look',
    description: 'Looks.',
    tier: 1,
    timeoutMs: 100,
    effects: [],
    run: async () => undefined,
    undo: { irreversible },
  };
  const start: ServiceStep =
    tier === 4
      ? { id: 'start', description: 'Starts it.', tier, instructions: ['Start it.'] }
      : {
          id: 'start',
          description: 'Starts it.',
          tier,
          timeoutMs: 100,
          effects: ['service.start'],
          run: ({ resources, signal }) => resources.service.start(signal),
          undo: { irreversible },
        };
  return definePlaybook({
    id,
    name: 'Restart',
    description: 'Starts it again.',
    category: 'process',
    tier,
    priority: 9,
    needs: NEEDS,
    triggers: [on('process.exited')],
    contraindicatedBy: [],
    diagnose: async () => undefined,
    steps: (step) => [step(look), step(start)],
    verify: {
      checks: [probeOf('service')],
      withinMs: 500,
      successes: 1,
      intervalMs: 1,
      stableForMs: 1,
    },
    mttrTargetMs: 1_000,
  });
}

async function openGate(policyOf: readonly Playbook[]) {
  const policy = join(folder, 'policy.yaml');
  await writeFile(policy, JSON.stringify(policyFor(policyOf)));
  return createGovernance({ policy, database: ':memory:', followPolicy: false });
}

function guard(
  playbook: Playbook,
  api: FakeService,
  govern: Parameters<typeof createGuardian>[1]['govern'],
  options: GuardianInput = {},
  store = new MemoryStore(),
) {
  return createGuardian(
    { probeIntervalMs: 3_600_000, longestStableMs: 1, ...options },
    {
      resources: [{ id: 'api', adapter: api }],
      playbooks: [playbook],
      store,
      ...(govern && { govern }),
    },
  );
}

/** What becomes of a crash, with the real gate in front. */
async function healed(
  playbook: Playbook,
  { policyOf = [playbook], options = {} }: { policyOf?: Playbook[]; options?: GuardianInput } = {},
): Promise<{ outcome: SymptomOutcome; starts: number }> {
  await using governance = await openGate(policyOf);
  const api = new FakeService();
  await using guardian = guard(playbook, api, (tool) => governance.govern(tool), options);
  governance.assertCovered([...guardian.tools]);
  await guardian.start();
  api.isUp = false;
  const { outcome } = await guardian.report({
    resource: 'api',
    signal: 'process.exited',
    certainty: 'decisive',
  });
  return { outcome: await outcome, starts: api.starts };
}

describe('the default policy', () => {
  it('of the built-in playbooks is loaded with its examples, and knows every step', async () => {
    await using governance = await createGovernance({
      policy: fileURLToPath(guardianPolicyFile),
      database: ':memory:',
      followPolicy: false,
    });
    await using guardian = createGuardian(
      {},
      { resources: [], playbooks: builtinPlaybooks, govern: (tool) => governance.govern(tool) },
    );
    governance.assertCovered([...guardian.tools]);
    const tools = guardian.tools.map(({ name }) => name);
    const { tests } = policyFor(builtinPlaybooks);
    expect(tools.filter((name) => !tests.some(({ given }) => given.action === name))).toEqual([]);
  });

  it('lets steps of tiers 1 and 2 run', async () => {
    expect(await healed(restartOf(2))).toEqual({ outcome: 'restored', starts: 1 });
  });

  it('lets a step of tier 3 run when it was rehearsed, and the rehearsal itself', async () => {
    const playbook = restartOf(3);
    await using governance = await openGate([playbook]);
    const api = new FakeService();
    await using guardian = guard(playbook, api, (tool) => governance.govern(tool));
    await guardian.start();
    await guardian.rehearse('restart', {
      resource: 'api',
      symptom: { signal: 'process.exited' },
      fault: {
        name: 'down',
        apply: async () => void (api.isUp = false),
        isPresent: async () => !api.isUp,
        revert: async () => void (api.isUp = true),
      },
    });
    expect(api.starts).toBe(1);
    api.isUp = false;
    const { outcome } = await guardian.report({
      resource: 'api',
      signal: 'process.exited',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('restored');
    expect(api.starts).toBe(2);
  });

  it('asks a person for a step of tier 3 that was not, and then lets it run once', async () => {
    const playbook = restartOf(3);
    await using governance = await openGate([playbook]);
    const api = new FakeService();
    await using guardian = guard(playbook, api, (tool) => governance.govern(tool), {
      autonomy: { 3: 'auto' },
      retry: { firstMs: 200 },
    });
    await guardian.start();
    api.isUp = false;
    const { outcome } = await guardian.report({
      resource: 'api',
      signal: 'process.exited',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('refused_governance');
    expect(api.starts).toBe(0);
    const { approvals } = governance.approvals.list();
    expect(approvals).toMatchObject([{ action: 'guardian.restart.start' }]);
    const closed = new Promise((resolve) => guardian.events.once('incidentClosed', resolve));
    await governance.approvals.vote(approvals[0]?.id ?? '', {
      by: { id: 'olga', role: 'operator' },
      vote: 'approve',
      via: 'api',
    });
    expect(await closed).toMatchObject({ incident: { closedAs: 'restored' } });
    expect(api.starts).toBe(1);
  });

  it('asks anew after a guardian died while it did what a person had agreed to', async () => {
    const playbook = restartOf(3);
    await using governance = await openGate([playbook]);
    const api = new FakeService();
    const store = new MemoryStore();
    const next = async () => {
      const guardian = guard(
        playbook,
        api,
        (tool) => governance.govern(tool),
        { autonomy: { 3: 'auto' }, retry: { firstMs: 50 } },
        store,
      );
      await guardian.start();
      return guardian;
    };
    const agree = async () => {
      const pending = () => governance.approvals.list({ states: ['pending'] }).approvals;
      await vi.waitFor(() => expect(pending()).toHaveLength(1), { timeout: 15_000 });
      const [approval] = pending();
      await governance.approvals.vote(approval?.id ?? '', {
        by: { id: 'olga', role: 'operator' },
        vote: 'approve',
        via: 'api',
      });
    };
    const begun = Promise.withResolvers<void>();
    api.onStart = async () => {
      begun.resolve();
      await new Promise(() => undefined); // and nothing is ever heard of it again
    };
    api.isUp = false;
    const dead = await next();
    await dead.report({ resource: 'api', signal: 'process.exited', certainty: 'decisive' });
    await agree();
    await begun.promise;

    api.onStart = async () => undefined;
    await using guardian = await next();
    const closed = new Promise((resolve) => guardian.events.once('incidentClosed', resolve));
    await agree();
    expect(await closed).toMatchObject({ incident: { closedAs: 'restored' } });
  });

  it('lets nothing of tier 4 run, whatever the autonomy', async () => {
    const options: GuardianInput = { autonomy: { 3: 'auto' } };
    expect(await healed(restartOf(4), { options })).toMatchObject({ starts: 0 });
  });

  it('denies a playbook or a step that it does not know', async () => {
    const playbook = restartOf(2);
    const other = restartOf(2, 'another');
    expect(await healed(other, { policyOf: [playbook] })).toEqual({
      outcome: 'refused_governance',
      starts: 0,
    });
    const [look] = playbook.steps;
    const shorter: Playbook = { ...playbook, steps: [look] };
    expect(await healed(playbook, { policyOf: [shorter] })).toEqual({
      outcome: 'refused_governance',
      starts: 0,
    });
  });

  it('is not loaded any more when a rule is loosened and its example is not', () => {
    const policy = policyFor([restartOf(3)]);
    const load = (changed: object) =>
      loadPolicy(JSON.stringify({ ...policy, ...changed }), { source: 'test' });
    expect(load({})).toMatchObject({ ok: true });
    const loosened = policy.rules.map(({ approve, ...rule }) =>
      approve ? { ...rule, allow: true } : rule,
    );
    expect(load({ rules: loosened })).toMatchObject({
      ok: false,
      problems: [{ code: 'TEST_FAILED' }],
    });
  });
});
