import { existsSync } from 'node:fs';
import { chown, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  configMissing,
  createConfigFile,
  createGuardian,
  type Guardian,
  serviceCrashed,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
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
      { longestStableMs: 50, probeIntervalMs: 3_600_000, autonomy: { 3: 'auto' } },
      { resources: world.resources, playbooks: [configMissing], ...parts },
    );
    await guardian.start();
    return guardian;
  };
  const closed = (own: Guardian) =>
    new Promise<string>((resolve) => {
      own.events.on('outcomeDecided', ({ outcome }) => {
        if (outcome !== 'deduplicated') resolve(outcome);
      });
    });

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

  it('comes before the restart of a service that ended because its config is gone', async () => {
    world = await open();
    const { reader, config } = world;
    const own = await guard({
      resources: [
        { id: 'app-config', adapter: { ...config, watch: () => () => undefined } },
        { id: 'app', adapter: reader, dependsOn: ['app-config'] },
      ],
      playbooks: [configMissing, serviceCrashed],
    });
    const runs: string[] = [];
    own.events.on('runEnded', ({ run }) => runs.push(`${run.playbook} ${run.result}`));
    await rm(world.path);
    const state = await reader.state(signal);
    if (state.is === 'running') process.kill(state.identity.pid, 'SIGKILL');
    const { outcome } = await own.report({
      resource: 'app',
      signal: 'process.exited',
      certainty: 'decisive',
    });
    // Without its reader the config is not well: it is there again, and the reader is started next.
    await outcome;
    expect(runs[0]).toMatch(/^config_missing/);
  });
});
