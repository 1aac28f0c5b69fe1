import { spawnSync } from 'node:child_process';
import { ManualClock } from '@buddy/core';
import {
  builtinPlaybooks,
  createLayerProbes,
  HEALTHY,
  MemoryStore,
  type Reading,
  type SymptomInput,
} from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { FakeService, restartPlaybook, startWorld } from './fake-service.ts';

const MINUTE = 60_000;
const promtool = process.env['PROMTOOL'] ?? 'promtool';
const hasPromtool = spawnSync(promtool, ['--version']).status === 0;

function down(resource: string): SymptomInput {
  return { resource, signal: 'process.exited', certainty: 'decisive' };
}

const ODD_IDS = ['a "b"', 'back\\slash\\n', 'two\nlines', '{x="y"} 1', 'тест\t\r', '#', ' ', '\\"'];

interface Series {
  /** Name and labels, as they stand there. */
  key: string;
  labels: ReadonlyMap<string, string>;
  value: number;
}

/** As strict as the format's description: https://prometheus.io/docs/instrumenting/exposition_formats. */
function parseMetrics(text: string): Series[] {
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.slice(0, -1).split('\n');
  return lines
    .filter((line) => !line.startsWith('# '))
    .map((line) => {
      const [, key = '', inner = '', value = ''] =
        /^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(.*)\})?) (\S+)$/su.exec(line) ?? [];
      expect(value).toMatch(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/);
      return { key, labels: parseLabels(inner), value: Number(value) };
    });
}

function parseLabels(text: string): Map<string, string> {
  const labels = new Map<string, string>();
  let rest = text;
  while (rest !== '') {
    const [whole, name = '', value = ''] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/u.exec(rest) ?? [];
    if (whole === undefined || labels.has(name)) throw new Error(`These are no labels: ${rest}`);
    labels.set(
      name,
      value.replaceAll(/\\(.)/gu, (_, one: string) => (one === 'n' ? '\n' : one)),
    );
    rest = rest.slice(whole.length);
  }
  return labels;
}

/** Heals one service so many times, each in so long, and lets another fail for good. */
async function busyWorld() {
  const clock = new ManualClock();
  const api = new FakeService();
  const broken = new FakeService();
  broken.startsWell = false;
  const layers = createLayerProbes(
    {},
    [{ layer: 4, name: 'always well', look: async () => HEALTHY }],
    { clock },
  );
  await layers.probeAll();
  const world = await startWorld(
    {
      resources: [
        { id: 'api', adapter: api },
        { id: 'broken "one"', adapter: broken },
      ],
      playbooks: [restartPlaybook(), ...builtinPlaybooks],
      store: new MemoryStore(),
      layers,
    },
    { limits: { restarts: { most: 100 } } },
    clock,
  );
  const heal = async (inMs: number) => {
    api.onStart = () => clock.sleep(inMs);
    api.isUp = false;
    const { outcome } = await world.guardian.report(down('api'));
    await clock.run(() => outcome);
  };
  return { ...world, api, broken, heal };
}

describe('stats of a guardian', () => {
  it('count runs, successes and failures, and name the last five', async () => {
    const { guardian, broken, clock, heal } = await busyWorld();
    expect(guardian.stats()).toMatchObject({
      totalRuns: 0,
      successRate: undefined,
      mttrSeconds: undefined,
    });
    for (const ms of [100, 200, 300, 400, 500]) await heal(ms);
    broken.isUp = false;
    const { outcome } = await guardian.report(down('broken "one"'));
    await clock.run(() => outcome);
    const stats = guardian.stats();
    expect(stats).toMatchObject({
      totalRuns: 6,
      successfulRuns: 5,
      failedRuns: 1,
      successRate: 5 / 6,
      layerHealth: { status: 'HEALTHY', coverage: 1 },
    });
    expect(stats.mttrSeconds).toBeCloseTo(0.3);
    expect(stats.mttrMinutes).toBeCloseTo(0.005);
    expect(stats.lastRuns.map(({ result }) => result)).toEqual([
      'not_helped',
      'restored',
      'restored',
      'restored',
      'restored',
    ]);
    expect(stats.playbookStats['restart']).toMatchObject({ runs: 6, successes: 5, failures: 1 });
    expect(stats.ledger).toMatchObject({ pending: 0, outcomes: { restored: 5, escalated: 1 } });
    await guardian.stop();
  });

  it('take the mean of the last 10, and know of the incident that never closes', async () => {
    const { guardian, broken, clock, heal } = await busyWorld();
    broken.isUp = false;
    await guardian.report(down('broken "one"'));
    const since = clock.now();
    for (let times = 0; times < 3; times += 1) await heal(900);
    for (let times = 0; times < 10; times += 1) await heal(100);
    const { mttr } = guardian.stats();
    expect(mttr).toMatchObject({ count: 13, meanMs: 100, p50Ms: 100 });
    expect(mttr.p95Ms).toBeGreaterThan(800);
    expect(mttr.oldestOpenMs).toBe(clock.now() - since);
    await guardian.stop();
  });

  it('raise an alert, once, when a figure passes two minutes', async () => {
    const { guardian, broken, clock, alerts } = await busyWorld();
    broken.isUp = false;
    await guardian.report(down('broken "one"'));
    await clock.advance(MINUTE);
    const oldest = () => alerts.filter((alert) => alert.startsWith('oldest_open'));
    expect(oldest()).toEqual([]);
    await clock.advance(4 * MINUTE);
    expect(oldest()).toHaveLength(1);
    broken.isUp = true;
    await clock.advance(MINUTE);
    expect(guardian.stats().mttr.oldestOpenMs).toBeUndefined();
    await guardian.stop();
  });

  it('go on after a restart of the guardian', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const parts = { resources: [{ id: 'api', adapter: api }], store };
    const first = await startWorld(parts);
    api.onStart = () => first.clock.sleep(250);
    api.isUp = false;
    const { outcome } = await first.guardian.report(down('api'));
    await first.clock.run(() => outcome);
    await first.guardian.stop();
    const second = await startWorld(parts, {}, first.clock);
    expect(second.guardian.stats()).toMatchObject({
      totalRuns: 1,
      mttrSeconds: 0.25,
      ledger: { symptoms: 1, outcomes: { restored: 1 } },
    });
    await second.guardian.stop();
  });
});

describe('layers of a guardian', () => {
  it('are looked at again and again, and an alert is raised once when one turns bad', async () => {
    const clock = new ManualClock();
    let isUp = true;
    const look = async (): Promise<Reading> =>
      isUp
        ? HEALTHY
        : { status: 'FAILED', signal: 'port.refused', certainty: 'decisive', note: 'refused' };
    const layers = createLayerProbes({}, [{ layer: 4, name: 'port', look }], { clock });
    const { guardian, alerts } = await startWorld({ resources: [], layers }, {}, clock);
    await clock.advance(30_000);
    expect(guardian.stats().layerHealth).toMatchObject({ status: 'HEALTHY' });
    expect(layers.history(4).all.length).toBeGreaterThan(2);
    isUp = false;
    await clock.advance(60_000);
    expect(alerts).toEqual(['layer: layer 4 is FAILED: refused']);
    await guardian.stop();
  });
});

describe('health of a guardian', () => {
  it('is degraded before it has looked, healthy when all is well, failing when somebody should look', async () => {
    const { guardian, broken, clock } = await busyWorld();
    expect(guardian.health()).toMatchObject({ status: 'degraded', coverage: 0 });
    await clock.advance(15_000);
    expect(guardian.health()).toMatchObject({ status: 'healthy', coverage: 1, openIncidents: 0 });
    broken.isUp = false;
    await clock.advance(MINUTE);
    expect(guardian.health()).toMatchObject({ status: 'failing', parkedIncidents: 1 });
    await guardian.stop();
  });
});

describe('playbooks of a guardian', () => {
  it('are told with their steps, how they are taken back, and whether they are armed', async () => {
    const { guardian } = await busyWorld();
    const views = guardian.playbooks();
    const told = views.map(({ id, priority }) => [id, priority]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['guardrail_bypassed', 10],
        ['service_crashed', 9],
        ['port_not_responding', 8],
        ['network_degradation', 7],
        ['module_not_found', 6],
        ['restart', 5],
      ]),
    );
    const priorities = views.map(({ priority }) => priority);
    expect(priorities).toEqual(priorities.toSorted((a, b) => b - a));
    const view = (id: string) => views.find((each) => each.id === id);
    expect(view('service_crashed')).toMatchObject({
      isArmed: true,
      armedFor: ['api', 'broken "one"'],
      certificate: undefined,
      steps: [{ id: 'respawn', tier: 3, undo: 'Stops what was started.' }],
    });
    expect(view('module_not_found')).toMatchObject({
      isArmed: false,
      notArmedFor: [
        { resource: 'api', missing: ['modules'] },
        { resource: 'broken "one"', missing: ['modules'] },
      ],
    });
    expect(view('guardrail_bypassed')).toMatchObject({ isArmed: false, notArmedFor: [] });
    await guardian.stop();
  });
});

describe('metrics of a guardian', () => {
  const LINE =
    /^buddy_guardian_[a-z_]+(?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? -?[\d.e+-]+$/;

  it('are lines of Prometheus, each family with its help and type before it', async () => {
    const { guardian, clock, heal } = await busyWorld();
    await heal(100);
    await clock.advance(15_000);
    const text = guardian.metricsText();
    const lines = text.trimEnd().split('\n');
    const samples = lines.filter((line) => !line.startsWith('# '));
    expect(samples.filter((line) => !LINE.test(line))).toEqual([]);
    const named = (word: string) =>
      lines.filter((line) => line.startsWith(`# ${word} `)).map((line) => line.split(' ')[2]);
    const families = [...new Set(samples.map((line) => line.split(/[ {]/)[0]))];
    expect(named('HELP')).toEqual(families);
    expect(named('TYPE')).toEqual(families);
    expect(text).toContain('buddy_guardian_outcomes_total{outcome="restored"} 1\n');
    expect(text).toContain('buddy_guardian_mttr_seconds{figure="mean"} 0.1\n');
    expect(text).toContain('resource="broken \\"one\\"",status="HEALTHY"} 1\n');
    expect(text).toContain('buddy_guardian_layer_status{layer="4",status="HEALTHY"} 1\n');
    await guardian.stop();
  });

  it('say of every resource what it is, whatever its id looks like', async () => {
    const ids = [...ODD_IDS, 'api'];
    const { clock, guardian } = await startWorld({
      resources: ids.map((id) => ({ id, adapter: new FakeService() })),
    });
    await clock.advance(15_000);
    const series = parseMetrics(guardian.metricsText());
    const well = series.filter(
      ({ labels, value }) => labels.get('status') === 'HEALTHY' && value === 1,
    );
    expect(well.map(({ labels }) => labels.get('resource'))).toEqual(ids);
    expect(new Set(series.map(({ key }) => key)).size).toBe(series.length);
    await guardian.stop();
  });

  it.runIf(hasPromtool)('are valid for promtool', async () => {
    const { clock, guardian } = await startWorld({
      resources: [...ODD_IDS, 'api'].map((id) => ({ id, adapter: new FakeService() })),
      playbooks: [restartPlaybook(), ...builtinPlaybooks],
    });
    await clock.advance(15_000);
    await clock.run(async () => (await guardian.report(down('api'))).outcome);
    const checked = spawnSync(promtool, ['check', 'metrics'], { input: guardian.metricsText() });
    expect([checked.status, checked.stdout.toString(), checked.stderr.toString()]).toEqual([
      0,
      '',
      '',
    ]);
    await guardian.stop();
  });
});
