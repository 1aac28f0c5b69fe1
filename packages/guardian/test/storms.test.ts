import { countingId, defineTool, ManualClock, ToolDeniedError } from '@buddy/core';
import { MemoryStore, type ResourceInput, type SymptomInput } from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { FakeService, restartPlaybook, startWorld } from './fake-service.ts';

const NOT_NOW = {
  outcome: 'deny',
  rule: 'not-now',
  reasonCode: 'POLICY_BLOCKED',
  explanation: 'not now',
} as const;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function down(resource: string, changes: Partial<SymptomInput> = {}): SymptomInput {
  return { resource, signal: 'process.exited', certainty: 'decisive', ...changes };
}

function buildApps() {
  const db = new FakeService();
  const apps = Array.from({ length: 100 }, () => {
    const app = new FakeService();
    app.needs = () => db.isUp;
    return app;
  });
  const resources: ResourceInput[] = [
    { id: 'db', adapter: db },
    ...apps.map((adapter, index) => ({ id: `app-${index}`, adapter, dependsOn: ['db'] })),
  ];
  return { db, apps, resources };
}

/** Healthy for a while after each start, then it ends: each start looks like a success. */
async function startCrashLoop(healthyForMs: number) {
  const api = new FakeService();
  const store = new MemoryStore();
  const world = await startWorld({
    resources: [{ id: 'api', adapter: api, probeIntervalMs: 60_000 }],
    store,
  });
  const { clock } = world;
  let isLooping = true;
  api.onStart = async () => {
    if (!isLooping) return;
    void (async () => {
      await clock.sleep(healthyForMs);
      if (isLooping) api.crash();
    })();
  };
  return { ...world, api, store, end: () => (isLooping = false) };
}

describe('one dead cause with 100 dependants', () => {
  it('is exactly one remediation, and 101 that are well', async () => {
    const { db, apps, resources } = buildApps();
    const store = new MemoryStore();
    const { clock, guardian } = await startWorld({ resources, store });
    db.isUp = false;
    // The dependants notice first, as they do.
    const reports = await Promise.all(
      apps.map((_, index) => guardian.report(down(`app-${index}`))),
    );
    const outcomes = await clock.run(() => Promise.all(reports.map(({ outcome }) => outcome)));
    expect(new Set(outcomes)).toEqual(new Set(['restored_with_cause']));
    expect(db.starts).toBe(1);
    expect(apps.map(({ starts }) => starts)).toEqual(apps.map(() => 0));
    expect(store.runs(10)).toHaveLength(1);
    expect(guardian.openIncidents).toEqual([]);
    expect(store.ledger()).toMatchObject({
      symptoms: 101,
      pending: 0,
      outcomes: { restored: 1, restored_with_cause: 100 },
    });
    await guardian.stop();
  });

  it('restarts no dependant while the cause cannot be mended', async () => {
    const { db, apps, resources } = buildApps();
    db.startsWell = false;
    const { clock, guardian } = await startWorld({ resources });
    db.isUp = false;
    const reports = await Promise.all(
      apps.map((_, index) => guardian.report(down(`app-${index}`))),
    );
    const outcomes = await clock.run(() => Promise.all(reports.map(({ outcome }) => outcome)));
    expect(new Set(outcomes)).toEqual(new Set(['escalated']));
    expect(apps.every(({ starts }) => starts === 0)).toBe(true);
    db.startsWell = true;
    await clock.advance(10 * MINUTE);
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('heals a dependant that is sick of itself too', async () => {
    const { db, apps, resources } = buildApps();
    const { clock, guardian } = await startWorld({ resources });
    db.isUp = false;
    const [app] = apps;
    if (app) app.isUp = false;
    const { outcome } = await guardian.report(down('app-0'));
    expect(await clock.run(() => outcome)).toBe('restored');
    expect([db.starts, app?.starts]).toEqual([1, 1]);
    await guardian.stop();
  });

  it('finds the root through what lies between', async () => {
    const disk = new FakeService();
    const db = new FakeService();
    const app = new FakeService();
    db.needs = () => disk.isUp;
    app.needs = () => db.isUp && db.needs();
    const { clock, guardian } = await startWorld({
      resources: [
        { id: 'app', adapter: app, dependsOn: ['db'] },
        { id: 'db', adapter: db, dependsOn: ['disk'] },
        { id: 'disk', adapter: disk },
      ],
    });
    disk.isUp = false;
    const { outcome } = await guardian.report(down('app'));
    expect(await clock.run(() => outcome)).toBe('restored_with_cause');
    expect([disk.starts, db.starts, app.starts]).toEqual([1, 0, 0]);
    await guardian.stop();
  });
});

describe('a dependant that was seen to be bad while its cause is healed', () => {
  it('was made well by that healing: it neither was a mistake nor flaps', async () => {
    const db = new FakeService();
    const app = new FakeService();
    const { clock, guardian } = await startWorld({
      resources: [
        { id: 'db', adapter: db },
        { id: 'app', adapter: app, dependsOn: ['db'] },
      ],
    });
    db.isUp = false;
    db.onStart = () => clock.sleep(800);
    const cause = await guardian.report(down('db'));
    await clock.advance(100);
    const { outcome } = await guardian.report(down('app', { certainty: 'ambiguous' }));
    expect(await clock.run(() => outcome)).toBe('restored_with_cause');
    expect(await clock.run(() => cause.outcome)).toBe('restored');
    await guardian.stop();
  });
});

/** A database that is starting, and an application that cannot work without it. */
async function startBoot() {
  const db = new FakeService();
  const app = new FakeService();
  let isBooting = true;
  db.probe = async () =>
    isBooting
      ? { status: 'UNKNOWN', reason: 'warming_up', note: 'it is not ready yet' }
      : { status: 'HEALTHY' };
  app.needs = () => !isBooting;
  const world = await startWorld({
    resources: [
      { id: 'db', adapter: db },
      { id: 'app', adapter: app, dependsOn: ['db'] },
    ],
  });
  return { ...world, app, become: () => (isBooting = false) };
}

describe('what is starting', () => {
  it('is waited for by those that depend on it: they are not healed before it is ready', async () => {
    const { clock, guardian, app, become } = await startBoot();
    const { outcome } = await guardian.report(down('app'));
    await clock.advance(20_000);
    expect(app.starts).toBe(0);
    become();
    await clock.advance(5_000);
    expect(await outcome).toBe('cleared_externally');
    expect(app.starts).toBe(0);
    await guardian.stop();
  });

  it('is no excuse: what is sick of itself is healed when it is ready', async () => {
    const { clock, guardian, app, become } = await startBoot();
    app.isUp = false;
    const { outcome } = await guardian.report(down('app'));
    await clock.advance(20_000);
    expect(app.starts).toBe(0);
    become();
    await clock.advance(5_000);
    expect(await outcome).toBe('restored');
    expect(app.starts).toBe(1);
    await guardian.stop();
  });
});

describe('a crash loop', () => {
  it('that starts late is 6 restarts at most, then one trial after longer and longer waits', async () => {
    const { clock, guardian, api } = await startCrashLoop(20_000);
    await clock.advance(6 * HOUR); // good hours are no credit
    api.crash();
    await clock.advance(20 * MINUTE);
    expect(api.starts).toBeGreaterThan(1);
    expect(api.starts).toBeLessThanOrEqual(6);
    const inTheBeginning = api.starts;
    await clock.advance(12 * HOUR);
    expect(api.starts - inTheBeginning).toBeLessThanOrEqual(13);
    await guardian.stop();
  });

  it('is healed when what made it is mended: the limit is no sink', async () => {
    const { clock, guardian, api, end, alerts } = await startCrashLoop(20_000);
    api.crash();
    await clock.advance(HOUR);
    expect(alerts.join()).toContain('api was restarted too often');
    end();
    await clock.advance(2 * HOUR);
    expect(api.isUp).toBe(true);
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('that crashes at once rests after two starts that did not last', async () => {
    const { clock, guardian, api } = await startCrashLoop(200);
    api.crash();
    await clock.advance(50_000);
    expect(api.starts).toBe(2);
    await guardian.stop();
  });

  it('has no fresh credit after a restart of the guardian', async () => {
    const { clock, guardian, api, store } = await startCrashLoop(20_000);
    api.crash();
    await clock.advance(5 * MINUTE);
    const before = api.starts;
    await guardian.stop();
    const second = await startWorld(
      { resources: [{ id: 'api', adapter: api, probeIntervalMs: 60_000 }], store },
      {},
      clock,
    );
    await clock.advance(4 * MINUTE);
    expect(api.starts).toBeLessThanOrEqual(Math.max(before, 6));
    await second.guardian.stop();
  });

  it('has none either when its trials are an hour apart, however often the guardian is restarted', async () => {
    const { clock, guardian, api, store } = await startCrashLoop(20_000);
    api.crash();
    await clock.advance(5 * HOUR);
    await clock.run(() => guardian.stop());
    const before = api.starts;
    for (let times = 0; times < 4; times += 1) {
      const next = await startWorld(
        {
          resources: [{ id: 'api', adapter: api, probeIntervalMs: 60_000 }],
          store,
          newId: countingId(`life-${times}`),
        },
        {},
        clock,
      );
      await clock.advance(HOUR);
      await clock.run(() => next.guardian.stop());
    }
    expect(api.starts).toBeGreaterThan(before); // and no sink
    expect(api.starts - before).toBeLessThanOrEqual(5);
  });
});

describe('what keeps healing from becoming the trouble', () => {
  it('does not count against a playbook what a stop of the guardian cut off', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const run = {
      incidentId: 'old',
      playbook: 'restart',
      resource: 'api',
      roles: { service: 'api' },
      startedAt: new ManualClock().now(),
      endedAt: new ManualClock().now(),
      result: 'aborted',
      reason: 'the guardian was stopped',
      interrupts: true,
      isRehearsal: false,
    } as const;
    for (const id of ['run-1', 'run-2']) await store.write([{ kind: 'run', run: { ...run, id } }]);
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('restored');
    await guardian.stop();
  });

  it('reserves a share of the budget for causes', async () => {
    const root = new FakeService();
    const leaves = Array.from({ length: 12 }, () => new FakeService());
    const { clock, guardian } = await startWorld(
      {
        resources: [
          { id: 'root', adapter: root },
          { id: 'child', adapter: new FakeService(), dependsOn: ['root'] },
          ...leaves.map((adapter, index) => ({ id: `leaf-${index}`, adapter })),
        ],
      },
      { limits: { budget: { most: 10, reservedShare: 0.3 } } },
    );
    for (const leaf of leaves) leaf.isUp = false;
    const reports = await Promise.all(
      leaves.map((_, index) => guardian.report(down(`leaf-${index}`))),
    );
    const outcomes = await clock.run(() => Promise.all(reports.map(({ outcome }) => outcome)));
    expect(outcomes.filter((outcome) => outcome === 'restored')).toHaveLength(7);
    expect(outcomes.filter((outcome) => outcome === 'refused_limit')).toHaveLength(5);
    root.isUp = false;
    const cause = await guardian.report(down('root'));
    expect(await clock.run(() => cause.outcome)).toBe('restored');
    await guardian.stop();
  });

  it('does not count a healing that was refused before it did anything', async () => {
    const api = new FakeService();
    let isDenying = true;
    const { clock, guardian } = await startWorld(
      {
        resources: [{ id: 'api', adapter: api }],
        govern: (tool) =>
          defineTool({
            ...tool,
            execute: async (input, context) => {
              if (isDenying) throw new ToolDeniedError(tool.name, NOT_NOW);
              return tool.execute(input, context);
            },
          }),
      },
      { limits: { restarts: { most: 1 }, budget: { most: 2, reservedShare: 0 } } },
    );
    api.isUp = false;
    await guardian.report(down('api'));
    await clock.advance(5 * MINUTE); // refused, and refused again
    isDenying = false;
    await clock.advance(10 * MINUTE);
    expect(api.starts).toBe(1);
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('forbids a restart while a quota is used up, and goes on when it is not', async () => {
    const llm = new FakeService();
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'llm', adapter: llm }],
    });
    llm.isUp = false;
    const until = clock.now() + 7 * MINUTE;
    const { outcome } = await guardian.report(
      down('llm', { conditions: [{ name: 'quota_exhausted', until }] }),
    );
    expect(await clock.run(() => outcome)).toBe('contraindicated');
    expect(alerts.join()).toContain('restart is forbidden by quota_exhausted on llm');
    await clock.advance(6 * MINUTE);
    expect(llm.starts).toBe(0);
    await clock.advance(2 * MINUTE);
    expect(llm.starts).toBe(1);
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('forbids it for what depends on the one with the quota, too', async () => {
    const llm = new FakeService();
    const app = new FakeService();
    const { clock, guardian } = await startWorld({
      resources: [
        { id: 'llm', adapter: llm },
        { id: 'app', adapter: app, dependsOn: ['llm'] },
      ],
    });
    app.isUp = false;
    const conditions = [{ name: 'quota_exhausted', until: clock.now() + HOUR }];
    await guardian.report(down('llm', { signal: 'http.too_many', conditions }));
    const { outcome } = await guardian.report(down('app'));
    expect(await clock.run(() => outcome)).not.toBe('restored');
    expect(app.starts).toBe(0);
    await guardian.stop();
  });

  it('obeys what a playbook says forbids it', async () => {
    const api = new FakeService();
    const careful = restartPlaybook({
      contraindicatedBy: [
        { name: 'a config error', when: ({ data }) => data['code'] === 78 },
        'disk_full',
      ],
    });
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [careful],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api', { data: { code: 78 } }));
    expect(await clock.run(() => outcome)).toBe('contraindicated');
    expect(alerts.join()).toContain('a config error');
    await guardian.stop();
  });

  it('sees flapping as one incident, and restarts nothing', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api, probeIntervalMs: HOUR }],
      store,
    });
    const ambiguous = down('api', { certainty: 'ambiguous' });
    for (let times = 0; times < 2; times += 1) {
      await guardian.report(ambiguous); // and well, when it is looked at again
      await clock.advance(10_000);
    }
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('refused_limit');
    expect(api.starts).toBe(0);
    api.isUp = true;
    await clock.advance(2 * HOUR);
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('never takes the last member that serves away', async () => {
    const members = [new FakeService(), new FakeService()];
    const [first, second] = members;
    const { clock, guardian, alerts } = await startWorld({
      resources: members.map((adapter, index) => ({ id: `web-${index}`, adapter, group: 'web' })),
    });
    if (first) first.isUp = false;
    if (first) first.startsWell = false;
    // It is said to be sick; in truth it is the only one that serves.
    const { outcome } = await guardian.report(down('web-1'));
    expect(await clock.run(() => outcome)).toBe('refused_limit');
    expect(second?.starts).toBe(0);
    expect(alerts.join()).toContain('web-1 is the last of its group that serves');
    await guardian.stop();
  });

  it('touches one member of a group at a time', async () => {
    let atOnce = 0;
    let most = 0;
    const members = Array.from({ length: 3 }, () => new FakeService());
    const { clock, guardian } = await startWorld({
      resources: members.map((adapter, index) => ({ id: `web-${index}`, adapter, group: 'web' })),
    });
    for (const member of members) {
      member.isUp = false;
      member.onStart = async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await clock.sleep(100);
        atOnce -= 1;
      };
    }
    const reports = await Promise.all(members.map((_, i) => guardian.report(down(`web-${i}`))));
    await clock.run(() => Promise.all(reports.map(({ outcome }) => outcome)));
    expect(most).toBe(1);
    expect(members.every(({ isUp }) => isUp)).toBe(true);
    await guardian.stop();
  });

  it('heals only so many at once', async () => {
    let atOnce = 0;
    let most = 0;
    const services = Array.from({ length: 8 }, () => new FakeService());
    const { clock, guardian } = await startWorld({
      resources: services.map((adapter, index) => ({ id: `s-${index}`, adapter })),
    });
    for (const service of services) {
      service.isUp = false;
      service.onStart = async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await clock.sleep(100);
        atOnce -= 1;
      };
    }
    const reports = await Promise.all(services.map((_, i) => guardian.report(down(`s-${i}`))));
    await clock.run(() => Promise.all(reports.map(({ outcome }) => outcome)));
    expect(most).toBe(3);
    expect(services.every(({ isUp }) => isUp)).toBe(true);
    await guardian.stop();
  });

  it('sees a second sign of the same trouble healed with the first', async () => {
    const api = new FakeService();
    const both = restartPlaybook({ triggers: [{ signals: ['process.exited', 'http.refused'] }] });
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [both],
    });
    api.isUp = false;
    const reports = await Promise.all([
      guardian.report(down('api')),
      guardian.report(down('api', { signal: 'http.refused' })),
    ]);
    const outcomes = await clock.run(() => Promise.all(reports.map(({ outcome }) => outcome)));
    expect(outcomes).toEqual(['restored', 'restored_with_cause']);
    expect(api.starts).toBe(1);
    await guardian.stop();
  });
});
