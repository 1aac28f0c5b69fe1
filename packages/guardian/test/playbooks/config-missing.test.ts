import { existsSync } from 'node:fs';
import { chown, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type AnyAdapter,
  configMissing,
  createConfigFile,
  createGuardian,
  type Guardian,
  serviceCrashed,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { until } from '../worlds/ground.ts';
import { type ConfigWorld, GOOD_CONFIG, lookAt, openConfigWorld } from '../worlds/config.ts';

const { signal } = new AbortController();
const open = () => openConfigWorld({ signal: 'config.missing' });

describePlaybook(configMissing, open);

describe('playbook config_missing', () => {
  let world: ConfigWorld;
  let guardian: Guardian | undefined;
  afterEach(async () => {
    await guardian?.stop();
    guardian = undefined;
    await world.close();
  });
  const guard = async (parts: Partial<Parameters<typeof createGuardian>[1]> = {}) => {
    guardian = createGuardian(
      {
        longestStableMs: 50,
        probeIntervalMs: 3_600_000,
        autonomy: { 3: 'auto' },
        causeGraceMs: 50,
      },
      { resources: world.resources, playbooks: [configMissing], ...parts },
    );
    await guardian.start();
    return guardian;
  };
  it('hears of it from the file system, with nobody looking', async () => {
    world = await open();
    const outcome = closed(await guard());
    await rm(world.path);
    expect(await outcome).toBe('restored');
    expect(await readFile(world.path, 'utf8')).toBe(GOOD_CONFIG);
  });

  it('puts it back with its folder, and takes both away again when it did not help', async () => {
    world = await open();
    const folder = dirname(world.path);
    const outcome = closed(await guard());
    await rename(folder, join(folder, '../elsewhere'));
    expect(await outcome).toBe('restored');
    expect(await readFile(world.path, 'utf8')).toBe(GOOD_CONFIG);
    await rm(folder, { recursive: true });
    await world.config.keepCopy('before', signal);
    await world.config.restoreLastKnownGood(signal);
    await world.config.putBack('before', signal);
    expect(existsSync(folder)).toBe(false);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'gives it back to its owner, with its mode (skipped unless root: only root may)',
    async () => {
      world = await open();
      await chown(world.path, 65_534, 65_534);
      const config = createConfigFile(
        { path: world.path, stateFolder: join(world.stateFolder, 'other') },
        { parse: (text): unknown => JSON.parse(text) },
      );
      expect(await config.probe(signal)).toEqual({ status: 'HEALTHY' });
      const before = await lookAt(world.path);
      await rm(world.path);
      await config.restoreLastKnownGood(signal);
      expect(before).toMatchObject({ uid: 65_534, mode: 0o640 });
      expect(await lookAt(world.path)).toEqual(before);
    },
  );

  it('leaves it to people when there never was a good one', async () => {
    world = await open();
    const config = createConfigFile(
      { path: join(world.stateFolder, 'never.json'), stateFolder: world.stateFolder },
      { parse: JSON.parse },
    );
    await rm(join(world.stateFolder, 'last-known-good.json'));
    const own = await guard({ resources: [{ id: 'never', adapter: config }] });
    const { outcome } = await own.report({
      resource: 'never',
      signal: 'config.missing',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('escalated');
    expect(own.openIncidents[0]?.reason).toContain('somebody has to write it');
  });

  it('comes first when a service ends because its config is gone, and then the service is started', async () => {
    world = await open();
    const { reader, config } = world;
    const own = await guard({
      resources: [
        { id: 'app-config', adapter: withoutWatch(config) },
        { id: 'app', adapter: withoutWatch(reader), dependsOn: ['app-config'] },
      ],
      playbooks: [configMissing, serviceCrashed],
    });
    const runs: string[] = [];
    own.events.on('runEnded', ({ run }) => runs.push(`${run.playbook} ${run.result}`));
    await rm(world.path);
    await reader.stop(signal);
    await reader.start(signal); // as a supervisor would
    await until(async () => {
      const sign = await reader.probe(signal);
      return sign.status === 'FAILED' && sign.signal === 'config.rejected';
    });
    const { outcome } = await own.report({
      resource: 'app',
      signal: 'config.rejected',
      certainty: 'decisive',
    });
    expect(await outcome).toMatch(/^restored/);
    expect(runs).toEqual(['config_missing restored', 'service_crashed restored']);
    expect((await reader.state(signal)).is).toBe('running');
  });
});

function closed(own: Guardian): Promise<string> {
  return new Promise((resolve) => {
    own.events.on('outcomeDecided', ({ outcome }) => {
      if (outcome !== 'deduplicated') resolve(outcome);
    });
  });
}

/** So that what the test reports is one symptom, and not a race of two. */
function withoutWatch<Adapter extends AnyAdapter>(adapter: Adapter): Adapter {
  return new Proxy(adapter, {
    get: (target, name) => {
      const member: unknown = name === 'watch' ? undefined : Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
