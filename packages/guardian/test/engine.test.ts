import {
  ApprovalRequiredError,
  defineTool,
  extendContext,
  ManualClock,
  ToolDeniedError,
} from '@buddy/core';
import {
  definePlaybook,
  type Govern,
  irreversible,
  MemoryStore,
  on,
  probeOf,
  type ServiceAdapter,
  type SymptomInput,
} from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { FakeService, restartPlaybook, startWorld } from './fake-service.ts';

const MINUTE = 60_000;

const base = {
  id: 'test',
  name: 'Test',
  description: 'For a test.',
  category: 'process',
  tier: 2,
  priority: 5,
  needs: { service: 'service' },
  triggers: [on('process.exited')],
  contraindicatedBy: [],
  diagnose: async () => null,
  verify: { checks: [probeOf('service')], withinMs: 1_000, stableForMs: 500 },
  mttrTargetMs: 10_000,
} as const;

const stepFace = {
  id: 'start',
  description: 'Starts it.',
  timeoutMs: 1_000,
  effects: ['service.start'],
  undo: irreversible('for a test'),
} as const;

function startIt(context: { resources: { service: ServiceAdapter }; signal: AbortSignal }) {
  return context.resources.service.start(context.signal);
}

function down(resource: string, changes: Partial<SymptomInput> = {}): SymptomInput {
  return { resource, signal: 'process.exited', certainty: 'decisive', ...changes };
}

function crash(api: FakeService) {
  return {
    name: 'crash',
    apply: async () => {
      api.isUp = false;
    },
    isPresent: async () => !api.isUp,
    revert: async () => {
      api.isUp = true;
    },
  };
}

describe('a guardian', () => {
  it('mends what broke, proves it, and gives the symptom its outcome', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('restored');
    expect(told).toEqual([
      'start intent',
      'start done',
      'restart restored',
      'api restored',
      'api closed restored',
    ]);
    expect(api.starts).toBe(1);
    expect(store.ledger()).toMatchObject({ symptoms: 1, pending: 0, outcomes: { restored: 1 } });
    await guardian.stop();
  });

  it('counts from the first good sample of the streak that proved it', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    const wentBad = clock.now() - 250;
    api.isUp = false;
    api.onStart = () => clock.sleep(40);
    const { outcome } = await guardian.report(down('api', { firstBad: wentBad }));
    await clock.run(() => outcome);
    expect(store.incidents(1)).toMatchObject([
      { firstBad: wentBad, detected: wentBad + 250, restored: wentBad + 250 + 40 },
    ]);
    await guardian.stop();
  });

  it('has one incident for one fingerprint, however often it is reported', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    api.isUp = false;
    const reports = await Promise.all([1, 2, 3].map(() => guardian.report(down('api'))));
    const outcomes = await clock.run(() => Promise.all(reports.map(({ outcome }) => outcome)));
    expect(outcomes).toEqual(['restored', 'deduplicated', 'deduplicated']);
    expect(new Set(reports.map(({ incidentId }) => incidentId)).size).toBe(1);
    expect(api.starts).toBe(1);
    await guardian.stop();
  });

  it('looks again before it acts on what is ambiguous, and leaves alone what is well', async () => {
    const api = new FakeService();
    const { clock, guardian } = await startWorld({ resources: [{ id: 'api', adapter: api }] });
    const { outcome } = await guardian.report(down('api', { certainty: 'ambiguous' }));
    expect(await clock.run(() => outcome)).toBe('false_positive');
    expect(api.starts).toBe(0);
    await guardian.stop();
  });

  it('does not act on what it cannot confirm', async () => {
    const api = new FakeService();
    api.probe = async () => ({ status: 'UNKNOWN', reason: 'no_permission', note: 'not ours' });
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
    });
    const { outcome } = await guardian.report(down('api', { certainty: 'ambiguous' }));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(api.starts).toBe(0);
    expect(alerts.join()).toContain('it could not be confirmed (no_permission: not ours)');
    await guardian.stop();
  });

  it('raises an alert for what no playbook is for, and for a resource that nobody registered', async () => {
    const api = new FakeService();
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
    });
    api.isUp = false;
    const strange = await guardian.report(down('api', { signal: 'disk.on_fire' }));
    const unknown = await guardian.report(down('nobody'));
    expect(await clock.run(() => strange.outcome)).toBe('unmatched');
    expect(await unknown.outcome).toBe('unmatched');
    expect(alerts.filter((alert) => alert.startsWith('unmatched'))).toHaveLength(2);
    await guardian.stop();
  });

  it('says which playbook is not armed, and what it lacks', async () => {
    const api = new FakeService();
    const needsDisk = definePlaybook({
      ...base,
      id: 'prune',
      needs: { service: 'service', disk: 'disk' },
      steps: (step) => [
        step({
          ...stepFace,
          tier: 2,
          effects: ['disk.reclaim'],
          run: ({ resources, signal }) => resources.disk.reclaim([], signal),
        }),
      ],
    });
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [needsDisk],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('unmatched');
    expect(alerts.join()).toContain('not_armed');
    expect(alerts.join()).toContain('prune lacks disk');
    await guardian.stop();
  });

  it('takes back in reverse what did not help, and tries the next playbook', async () => {
    const api = new FakeService();
    const order: string[] = [];
    const useless = definePlaybook({
      ...base,
      id: 'useless',
      priority: 9,
      steps: (step) => [
        step({
          ...stepFace,
          tier: 2,
          id: 'first',
          before: async () => ({ seen: 'before first' }),
          run: async () => void order.push('first'),
          undo: {
            description: 'Back.',
            effects: ['service.stop'],
            run: async ({ before }) => void order.push(`undo first, ${before.seen}`),
          },
        }),
        step({
          ...stepFace,
          tier: 2,
          id: 'second',
          run: async () => void order.push('second'),
          undo: {
            description: 'Back.',
            effects: ['service.stop'],
            run: async () => void order.push('undo second'),
          },
        }),
      ],
    });
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [restartPlaybook(), useless],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('restored');
    expect(order).toEqual(['first', 'second', 'undo second', 'undo first, before first']);
    expect(api.starts).toBe(1);
    await guardian.stop();
  });

  it('takes back a step that was done by half', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    api.onStart = async () => {
      throw new Error('it stumbled');
    };
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(told.slice(0, 5)).toEqual([
      'start intent',
      'start failed',
      'start undoing',
      'start undone',
      'restart failed',
    ]);
    expect(api.stops).toBe(1);
    await guardian.stop();
  });

  it('aborts a step whose time is over, and takes it back', async () => {
    const api = new FakeService();
    let reason: unknown;
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
    });
    api.onStart = async (signal) => {
      await clock.sleep(MINUTE, signal).catch((error: unknown) => {
        reason = error;
        throw error;
      });
    };
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(reason).toMatchObject({ code: 'GUARDIAN_STEP_TIMEOUT' });
    expect(told).toContain('start undone');
    await guardian.stop();
  });

  it('goes on when a step never ends, even when it is aborted', async () => {
    const api = new FakeService();
    api.onStart = () => new Promise(() => undefined);
    const { clock, guardian } = await startWorld({ resources: [{ id: 'api', adapter: api }] });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(api.stops).toBe(1);
    await guardian.stop();
  });

  it('does not do an effect that a step does not declare', async () => {
    const api = new FakeService();
    const sly = restartPlaybook({
      steps: (step) => [step({ ...stepFace, tier: 2, effects: ['service.stop'], run: startIt })],
    });
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [sly],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(api.starts).toBe(0);
    expect(alerts.join()).toContain('service.start is not among the declared effects');
    await guardian.stop();
  });

  it('tries nothing more when something could not be taken back', async () => {
    const api = new FakeService();
    api.startsWell = false;
    api.stop = async () => {
      throw new Error('it does not stop');
    };
    const second = restartPlaybook({ id: 'second', priority: 1 });
    const { clock, guardian, alerts, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [restartPlaybook(), second],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(alerts.join()).toContain('undo_failed');
    expect(told).not.toContain('second not_helped');
    await guardian.stop();
  });

  it('still looks at what it escalated, and closes it when it is well', async () => {
    const api = new FakeService();
    api.startsWell = false;
    const store = new MemoryStore();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(guardian.openIncidents).toMatchObject([{ status: 'parked' }]);
    api.isUp = true; // somebody came
    await clock.advance(15_000);
    expect(guardian.openIncidents).toEqual([]);
    expect(store.incidents(1)).toMatchObject([{ closedAs: 'cleared_externally' }]);
    await guardian.stop();
  });

  it('tries what it escalated again, later and later', async () => {
    const api = new FakeService();
    api.startsWell = false;
    const { clock, guardian } = await startWorld({ resources: [{ id: 'api', adapter: api }] });
    api.isUp = false;
    await guardian.report(down('api'));
    await clock.advance(90_000);
    expect(guardian.openIncidents).toMatchObject([{ status: 'parked', retries: 1 }]);
    api.startsWell = true;
    await clock.advance(10 * MINUTE);
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('gives every symptom an outcome by its deadline, even if its healing never ends', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const { clock, guardian, alerts } = await startWorld(
      {
        resources: [{ id: 'api', adapter: api }],
        playbooks: [restartPlaybook({ verify: { ...base.verify, withinMs: 3_600_000 } })],
        store,
      },
      { outcomeDeadlineMs: 5 * MINUTE },
    );
    api.startsWell = false;
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(alerts.join()).toContain('outcome_overdue');
    expect(guardian.openIncidents).toMatchObject([{ status: 'open' }]);
    await guardian.stop();
    expect(store.ledger()).toMatchObject({ pending: 0, outcomes: { escalated: 1 } });
  });

  it('notices by itself what goes bad', async () => {
    const api = new FakeService();
    const db = new FakeService();
    const { clock, guardian, told } = await startWorld({
      resources: [
        { id: 'api', adapter: api },
        { id: 'db', adapter: db },
      ],
    });
    db.isUp = false; // seen by a look
    api.crash(); // told by the adapter
    await clock.advance(15_000);
    expect(told).toContain('api restored');
    expect(told).toContain('db restored');
    await guardian.stop();
  });

  it('goes on when news comes while it verifies', async () => {
    const api = new FakeService();
    const { clock, guardian } = await startWorld({ resources: [{ id: 'api', adapter: api }] });
    api.crash();
    await clock.advance(300);
    api.crash(); // within the time in which it should have been stable
    await clock.advance(30_000);
    expect(api.isUp).toBe(true);
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('tries again at once when what it started ends before it was ever well', async () => {
    const api = new FakeService();
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
    });
    api.onStart = async () => {
      if (api.starts === 1) void clock.sleep(1).then(() => api.crash());
    };
    api.needs = () => api.starts > 1;
    api.crash();
    await clock.advance(700); // the verification of the first try would have waited for a second
    expect(told.filter((line) => line.startsWith('restart '))).toEqual([
      'restart not_helped',
      'restart restored',
    ]);
    await guardian.stop();
  });

  it('does not take the end of what was there before for that of what it started', async () => {
    const api = new FakeService();
    const clock = new ManualClock();
    const replace = restartPlaybook({
      id: 'replace',
      triggers: [on('port.in_use')],
      steps: (step) => [
        step({
          ...stepFace,
          tier: 2,
          effects: ['service.stop', 'service.start'],
          run: startIt,
        }),
      ],
    });
    const { guardian, told } = await startWorld(
      { resources: [{ id: 'api', adapter: api }], playbooks: [restartPlaybook(), replace] },
      {},
      clock,
    );
    let isReadyAt = Infinity;
    api.needs = () => clock.now() >= isReadyAt;
    api.onStart = async () => {
      await clock.sleep(20);
      api.crash(); // that it ended, before all this, is noticed only now
      await clock.sleep(20);
      isReadyAt = clock.now() + 100;
    };
    api.isUp = false;
    const { outcome } = await guardian.report(down('api', { signal: 'port.in_use' }));
    expect(await clock.run(() => outcome)).toBe('restored');
    expect(told).toContain('replace restored');
    expect(told).not.toContain('replace not_helped');
    expect(api.starts).toBe(1);
    await guardian.stop();
  });

  it('takes a sign that no playbook knows for one of the trouble that is being mended', async () => {
    const api = new FakeService();
    const { clock, guardian, told, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
    });
    const reset = await guardian.report(down('api', { signal: 'connection.reset' }));
    api.crash();
    expect(await clock.run(() => reset.outcome)).toBe('restored_with_cause');
    expect(told).toContain('api restored');
    expect(alerts).toEqual([]);
    await guardian.stop();
  });

  it('lets only what has the shape of a symptom in', async () => {
    const { guardian } = await startWorld({ resources: [] });
    await expect(guardian.report(down('api', { signal: 'Process Exited!' }))).rejects.toMatchObject(
      {
        code: 'CORE_INVALID_INPUT',
      },
    );
    await guardian.stop();
    await expect(guardian.report(down('api'))).rejects.toMatchObject({ code: 'GUARDIAN_MISUSE' });
  });
});

describe('what a guardian may do alone', () => {
  const tier3 = restartPlaybook({
    tier: 3,
    steps: (step) => [step({ ...stepFace, tier: 3, run: startIt })],
  });

  it('leaves tier 3 alone without a certificate, and says how to earn one', async () => {
    const api = new FakeService();
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [tier3],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('refused_governance');
    expect(api.starts).toBe(0);
    expect(alerts.join()).toContain('rehearse("restart", ...) earns one');
    await guardian.stop();
  });

  it('runs tier 3 when it is told to', async () => {
    const api = new FakeService();
    const { clock, guardian } = await startWorld(
      { resources: [{ id: 'api', adapter: api }], playbooks: [tier3] },
      { autonomy: { 3: 'auto' } },
    );
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('restored');
    await guardian.stop();
  });

  it('earns a certificate by a rehearsal, for 30 days and for this very code', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const world = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [tier3],
      store,
    });
    const { clock, guardian } = world;
    const request = { resource: 'api', fault: crash(api), symptom: { signal: 'process.exited' } };
    const certificate = await clock.run(() => guardian.rehearse('restart', request));
    expect(certificate).toMatchObject({ playbook: 'restart', codeHash: tier3.codeHash });

    api.isUp = false;
    const soon = await guardian.report(down('api'));
    expect(await clock.run(() => soon.outcome)).toBe('restored');
    await guardian.stop();

    const changed = restartPlaybook({
      tier: 3,
      steps: (step) => [step({ ...stepFace, tier: 3, timeoutMs: 999, run: startIt })],
    });
    const other = await startWorld(
      { resources: [{ id: 'api', adapter: api }], playbooks: [changed], store },
      {},
      clock,
    );
    api.isUp = false;
    const refused = await other.guardian.report(down('api'));
    expect(await clock.run(() => refused.outcome)).toBe('refused_governance');
    api.isUp = true;
    await clock.advance(MINUTE);
    await other.guardian.stop();

    const late = await startWorld(
      { resources: [{ id: 'api', adapter: api }], playbooks: [tier3], store },
      { probeIntervalMs: 3_600_000 },
      clock,
    );
    await clock.advance(31 * 86_400_000);
    api.isUp = false;
    const tooLate = await late.guardian.report(down('api'));
    expect(await clock.run(() => tooLate.outcome)).toBe('refused_governance');
    await late.guardian.stop();
  });

  it('earns it also when somebody else notices the fault first', async () => {
    const api = new FakeService();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [tier3],
    });
    const noticed = { ...crash(api), apply: async () => api.crash() };
    const request = { resource: 'api', fault: noticed, symptom: { signal: 'process.exited' } };
    await clock.run(() => guardian.rehearse('restart', request));
    expect(api.starts).toBe(1);
    expect(guardian.playbooks()[0]?.certificate).toMatchObject({ fault: 'crash' });
    await guardian.stop();
  });

  it('earns nothing when the fault does not show, or does not go', async () => {
    const api = new FakeService();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [tier3],
    });
    const symptom = { signal: 'process.exited' };
    const harmless = { ...crash(api), name: 'harmless', apply: async () => undefined };
    await expect(
      guardian.rehearse('restart', { resource: 'api', fault: harmless, symptom }),
    ).rejects.toThrow('the fault does not show after it was injected');
    api.startsWell = false;
    const lasting = clock.run(() =>
      guardian.rehearse('restart', { resource: 'api', fault: crash(api), symptom }),
    );
    await expect(lasting).rejects.toThrow('its outcome was escalated');
    expect(api.isUp).toBe(true); // taken away all the same
    await guardian.stop();
  });

  it('leaves behind an incident like any other when a rehearsal fails', async () => {
    const api = new FakeService();
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [tier3, restartPlaybook({ id: 'other', priority: 1 })],
    });
    const fault = { ...crash(api), revert: async () => undefined };
    const symptom = { signal: 'process.exited' };
    api.startsWell = false;
    const failing = clock.run(() =>
      guardian.rehearse('restart', { resource: 'api', fault, symptom }),
    );
    await expect(failing).rejects.toThrow('its outcome was escalated');
    expect(told).not.toContain('other not_helped'); // the rehearsed one alone had its turn
    api.startsWell = true;
    await clock.advance(30 * MINUTE);
    expect(told).toContain('other restored');
    expect(told).not.toContain('restart restored'); // it has no certificate
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('asks the gate for each step, and does nothing when it says no', async () => {
    const api = new FakeService();
    const asked: unknown[] = [];
    const deny: Govern = (tool) =>
      defineTool({
        ...tool,
        execute: async (input, context) => {
          asked.push([tool.name, tool.tier, input.effects, context.rationale]);
          throw new ToolDeniedError(tool.name, {
            outcome: 'deny',
            rule: 'not-today',
            reasonCode: 'POLICY_BLOCKED',
            explanation: 'no.',
          });
        },
      });
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      govern: deny,
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('refused_governance');
    expect(asked).toEqual([
      ['guardian.restart.start', 2, ['service.start'], 'restart heals api: process.exited'],
    ]);
    expect(api.starts).toBe(0);
    expect(told).not.toContain('start intent');
    await guardian.stop();
  });

  it('comes again with the same key after somebody had to agree', async () => {
    const api = new FakeService();
    const keys: string[] = [];
    let isApproved = false;
    const ask: Govern = (tool) =>
      defineTool({
        ...tool,
        execute: async (input, context) => {
          keys.push(context.idempotencyKey);
          if (!isApproved) throw new ApprovalRequiredError(tool.name, 'approval-1');
          return tool.execute(input, extendContext(context, {}));
        },
      });
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      govern: ask,
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('refused_governance');
    isApproved = true;
    await clock.advance(2 * MINUTE);
    expect(api.isUp).toBe(true);
    expect(new Set(keys).size).toBe(1);
    await guardian.stop();
  });

  it('stops at what is for people, keeps to the safe side, and hands over the instructions', async () => {
    const api = new FakeService();
    const page = definePlaybook({
      ...base,
      tier: 4,
      steps: (step) => [
        step({
          ...stepFace,
          tier: 2,
          id: 'hold',
          effects: ['service.stop'],
          run: ({ resources, signal }) => resources.service.stop(signal),
          undo: irreversible('stopped is the safe side'),
        }),
        step({ id: 'look', description: 'Looks.', tier: 4, instructions: ['Read the log.'] }),
      ],
    });
    const { clock, guardian, told, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [page],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('escalated');
    expect(told).toContain('hold kept');
    expect(alerts.join()).toContain('needs a person: Read the log.');
    await guardian.stop();
  });

  it('hands the instructions over also when what it may do alone was enough', async () => {
    const api = new FakeService();
    const page = definePlaybook({
      ...base,
      tier: 4,
      steps: (step) => [
        step({ ...stepFace, tier: 2, run: startIt }),
        step({ id: 'look', description: 'Looks.', tier: 4, instructions: ['Read the log.'] }),
      ],
    });
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [page],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('restored');
    expect(alerts).toEqual([
      'for_people: test did what it may on api; the rest is for a person: Read the log.',
    ]);
    await guardian.stop();
  });

  it('goes on without a step that may be skipped when it is refused', async () => {
    const api = new FakeService();
    const skipping = definePlaybook({
      ...base,
      tier: 3,
      steps: (step) => [
        step({ ...stepFace, tier: 3, id: 'dear', ifRefused: 'skip', run: async () => undefined }),
        step({ ...stepFace, tier: 2, run: startIt }),
      ],
    });
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [skipping],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('restored');
    expect(told).not.toContain('dear intent');
    await guardian.stop();
  });
});

describe('a dry run', () => {
  it('tells steps, effects, tier and expected time, and does nothing', async () => {
    const api = new FakeService();
    const { guardian } = await startWorld({ resources: [{ id: 'api', adapter: api }] });
    const { plan, calls, problems } = await guardian.dryRun('restart', 'api');
    expect(plan).toMatchObject({
      playbook: 'restart',
      tier: 2,
      effects: ['service.start'],
      expectedMs: 10_000,
      steps: [{ id: 'start', isCalledFor: true, undo: 'Stops it.' }],
    });
    expect(calls).toEqual({ start: ['service.start'] });
    expect(problems).toEqual({});
    expect(api.starts).toBe(0);
    await guardian.stop();
  });

  it('waits for nothing that a step waits for', async () => {
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: new FakeService() }],
      playbooks: [
        restartPlaybook({
          steps: (step) => [
            step({
              ...stepFace,
              tier: 2,
              run: async (context) => {
                const { clock: own, signal } = context;
                const begun = own.now();
                await Promise.all([own.sleep(100, signal), own.sleep(MINUTE, signal)]);
                if (own.now() - begun === MINUTE) await startIt(context);
              },
            }),
          ],
        }),
      ],
    });
    const before = clock.now();
    const { calls, problems } = await guardian.dryRun('restart', 'api');
    expect({ calls, problems }).toEqual({ calls: { start: ['service.start'] }, problems: {} });
    expect(clock.now()).toBe(before);
    await guardian.stop();
  });

  it('throws when a step would do what it does not declare', async () => {
    const api = new FakeService();
    const sly = restartPlaybook({
      steps: (step) => [step({ ...stepFace, tier: 2, effects: ['service.stop'], run: startIt })],
    });
    const { guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [sly],
    });
    await expect(guardian.dryRun('restart', 'api')).rejects.toMatchObject({
      code: 'GUARDIAN_UNDECLARED_EFFECT',
      attempted: 'service.start',
    });
    await guardian.stop();
  });
});

describe('maintenance', () => {
  it('suppresses symptoms, heals nothing, and looks when it is over', async () => {
    const api = new FakeService();
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
    });
    await guardian.beginMaintenance({
      resources: ['api'],
      untilMs: clock.now() + 10 * MINUTE,
      reason: 'new release',
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await outcome).toBe('suppressed_maintenance');
    await clock.advance(9 * MINUTE);
    expect(api.starts).toBe(0);
    await clock.advance(2 * MINUTE);
    expect(told).toContain('api restored');
    await guardian.stop();
  });
});

describe('a maintenance window', () => {
  it('is ended before its time, and refused when it would end before now', async () => {
    const api = new FakeService();
    const { clock, guardian, told } = await startWorld({
      resources: [{ id: 'api', adapter: api, probeIntervalMs: 3_600_000 }],
    });
    const untilMs = clock.now() + 10 * MINUTE;
    const { id } = await guardian.beginMaintenance({ untilMs, reason: 'new release' });
    api.isUp = false;
    await guardian.report(down('api'));
    await guardian.endMaintenance(id);
    await clock.advance(5_000);
    expect(told).toContain('api restored');
    await expect(guardian.endMaintenance(id)).rejects.toThrow('There is no maintenance window');
    const past = guardian.beginMaintenance({ untilMs: clock.now(), reason: 'too late' });
    await expect(past).rejects.toThrow('ends later than now');
    await guardian.stop();
  });

  it('lasts over a restart of the guardian', async () => {
    const api = new FakeService();
    const parts = { resources: [{ id: 'api', adapter: api }], store: new MemoryStore() };
    const first = await startWorld(parts);
    const { clock } = first;
    await first.guardian.beginMaintenance({ untilMs: clock.now() + 10 * MINUTE, reason: 'work' });
    await first.guardian.stop();
    const second = await startWorld(parts, {}, clock);
    api.isUp = false;
    const { outcome } = await second.guardian.report(down('api'));
    expect(await outcome).toBe('suppressed_maintenance');
    await second.guardian.stop();
  });
});

describe('an operator', () => {
  it('takes a healing of the past back', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    await clock.run(() => outcome);
    const [run] = store.runs(1);
    expect(await guardian.rollBack(run?.id ?? '')).toEqual({ undone: 1, isWhole: true });
    expect(api.stops).toBe(1);
    expect(await guardian.rollBack(run?.id ?? '')).toEqual({ undone: 0, isWhole: true });
    await expect(guardian.rollBack('nothing')).rejects.toThrow('There is no run "nothing"');
    await guardian.stop();
  });
});
