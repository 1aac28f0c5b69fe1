import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '@buddy/core';
import {
  createGuardian,
  createReceiptGate,
  type Guardian,
  openSignedPolicy,
  policyDrift,
  releasePolicy,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openPolicyWorld, PINNED_POLICY, type PolicyWorld } from '../worlds/policy.ts';

const { signal } = new AbortController();
const drop = { id: '1', tool: 'crm.drop', args: {} };

describePlaybook(policyDrift, openPolicyWorld);

describe('playbook policy_drift', () => {
  let world: PolicyWorld;
  let guardian: Guardian | undefined;
  afterEach(async () => {
    await guardian?.stop();
    guardian = undefined;
    await world.close();
  });
  const guard = async (resources = world.resources) => {
    guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000 },
      { resources, playbooks: [policyDrift] },
    );
    await guardian.start();
    return guardian;
  };

  it('hears of an edit from the file system, tells what was changed, and takes it back', async () => {
    world = await openPolicyWorld();
    const own = await guard();
    const closed = new Promise((resolve) => own.events.once('incidentClosed', resolve));
    await writeFileAtomic(world.path, PINNED_POLICY.replace('read"', 'read", "x"'));
    expect(await closed).toMatchObject({
      incident: {
        symptom: {
          data: { added: ['  "allow": ["crm.read", "x"]'], removed: ['  "allow": ["crm.read"]'] },
        },
      },
    });
    expect(await readFile(world.path, 'utf8')).toBe(PINNED_POLICY);
  });

  it('is no drift that a newer release is loaded', async () => {
    world = await openPolicyWorld();
    await world.release('{ "allow": ["crm.read", "crm.drop"] }');
    await world.policy.reload(signal);
    expect(world.policy.policyDigest()).toBe(world.policy.pinnedDigest());
    expect(await world.policy.decide(drop, signal)).toBe('allow');
  });

  it('never lets an edit take effect, nor a release that is signed with another key', async () => {
    world = await openPolicyWorld();
    await writeFile(world.path, '{ "allow": ["crm.drop"] }');
    await expect(world.gate.admit(drop)).rejects.toMatchObject({ code: 'GUARDIAN_GATE_DENIED' });
    const releases = join(dirname(world.path), 'releases');
    const { privateKey } = generateKeyPairSync('ed25519');
    await releasePolicy({ releases, text: '{ "allow": ["crm.drop"] }', privateKey });
    await world.policy.reload(signal);
    expect(await world.policy.decide(drop, signal)).toBe('deny');
    expect(await readFile(world.path, 'utf8')).toBe(PINNED_POLICY);
  });

  it('denies everything when it did not help and nothing was released before', async () => {
    world = await openPolicyWorld({ hasPrevious: false });
    await world.gate.adapter.loadPreviousPolicy(signal);
    const read = { id: '2', tool: 'crm.read', args: {} };
    expect(await world.policy.decide(read, signal)).toBe('deny');
  });

  it('mends a policy in force that is not the pinned one, and freezes a gate that has no other', async () => {
    world = await openPolicyWorld();
    let digest = 'somebody-elses';
    const { adapter } = createReceiptGate({
      guard: {
        decide: async ({ tool }) => (tool === 'crm.read' ? 'allow' : 'deny'),
        policyDigest: () => digest,
        reload: async () => {
          digest = 'pinned';
        },
      },
      canaries: { deny: drop, allow: { id: 'allow', tool: 'crm.read', args: {} } },
      pinnedDigest: 'pinned',
    });
    expect(await adapter.probe(signal)).toMatchObject({ signal: 'policy.drifted' });
    const own = await guard([{ id: 'gate', adapter }]);
    const { outcome } = await own.report({
      resource: 'gate',
      signal: 'policy.drifted',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('restored');
    await adapter.loadPreviousPolicy(signal);
    expect(await adapter.isFrozen(signal)).toBe(true);
  });

  it('cannot begin without a signed release', async () => {
    world = await openPolicyWorld();
    const { publicKey } = generateKeyPairSync('ed25519');
    const opening = openSignedPolicy(
      {
        path: world.path,
        releases: join(dirname(world.path), 'releases'),
        publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      },
      { load: () => async () => 'allow' },
    );
    await expect(opening).rejects.toMatchObject({ code: 'GUARDIAN_POLICY_RELEASE' });
  });
});
