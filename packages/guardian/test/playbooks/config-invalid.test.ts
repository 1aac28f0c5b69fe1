import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configInvalid, createGuardian, type Guardian } from '@buddy/guardian';
import { fileCorrupt } from '@buddy/guardian/faults';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { type ConfigWorld, GOOD_CONFIG } from '../worlds/config.ts';
import { openInvalidConfigWorld } from '../worlds/config-invalid.ts';

const { signal } = new AbortController();
describePlaybook(configInvalid, () => openInvalidConfigWorld());

describe('playbook config_invalid', () => {
  let world: ConfigWorld;
  let guardian: Guardian;
  afterEach(async () => {
    await guardian.stop();
    await world.close();
  });
  const guard = async (env?: Record<string, string>) => {
    world = await openInvalidConfigWorld(env);
    guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000, confirm: { intervalMs: 150 } },
      { resources: world.resources, playbooks: [configInvalid] },
    );
    await guardian.start();
  };
  const outcomeOf = () =>
    new Promise<string>((resolve) => {
      guardian.events.on('outcomeDecided', ({ outcome }) => {
        if (outcome !== 'deduplicated') resolve(outcome);
      });
    });
  const copies = async () => {
    const names = await readdir(world.stateFolder);
    return names.filter((name) => name.startsWith('invalid-'));
  };

  it('mends bytes that are others, a wrong type, and an empty file, and keeps each bad one', async () => {
    await guard();
    let kept = 0;
    const isMended = async (text: () => Promise<unknown>) => {
      const outcome = outcomeOf();
      await text();
      expect(await outcome).toBe('restored');
      expect(await readFile(world.path, 'utf8')).toBe(GOOD_CONFIG);
      expect(await copies()).toHaveLength((kept += 1));
    };
    await isMended(() => world.kit.inject(fileCorrupt, { path: world.path, bytes: 4 }));
    await isMended(() => writeFile(world.path, '{ "limit": "ten" }'));
    await isMended(() => writeFile(world.path, ''));
  });

  it('does not mend what somebody is just writing', async () => {
    await guard();
    const outcome = outcomeOf();
    await writeFile(world.path, '{ "lim');
    await writeFile(world.path, '{ "limit": 20 }');
    await world.config.reload(signal);
    expect(await outcome).toBe('false_positive');
    expect(await readFile(world.path, 'utf8')).toBe('{ "limit": 20 }');
    expect(await copies()).toEqual([]);
  });

  it('takes a good edit as the next good one', async () => {
    await guard();
    await writeFile(world.path, '{ "limit": 20 }');
    await chmod(world.path, 0o600);
    await world.config.reload(signal);
    expect(await world.config.probe(signal)).toEqual({ status: 'HEALTHY' });
    expect(await world.config.lastKnownGood(signal)).toBe(await world.config.digest(signal));
  });

  it('has its reader load a valid edit that it missed, before anything is restored', async () => {
    await guard();
    await writeFile(world.path, '{ "limit": 20 }');
    expect(await world.config.probe(signal)).toMatchObject({ signal: 'config.not_loaded' });
    const { outcome } = await guardian.report({
      resource: 'app-config',
      signal: 'config.not_loaded',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('restored');
    expect(await readFile(world.path, 'utf8')).toBe('{ "limit": 20 }');
  });

  it('goes back to the last good one when its reader does not take a valid edit', async () => {
    await guard({ MOST: '15' });
    await writeFile(world.path, '{ "limit": 20 }');
    const { outcome } = await guardian.report({
      resource: 'app-config',
      signal: 'config.rejected',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('restored');
    expect(await readFile(world.path, 'utf8')).toBe(GOOD_CONFIG);
    const [copy = ''] = await copies();
    expect(await readFile(join(world.stateFolder, copy), 'utf8')).toContain(
      Buffer.from('{ "limit": 20 }').toString('base64'),
    );
  });
});
