import { generateKeyPairSync, hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createReceiptGate,
  openSignedPolicy,
  type ReceiptGate,
  releasePolicy,
  type SignedPolicy,
} from '@buddy/guardian';
import { type FaultKit, policyTamper } from '@buddy/guardian/faults';
import { z } from 'zod';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { openGround } from './ground.ts';

const { signal } = new AbortController();
const Policy = z.strictObject({ allow: z.array(z.string()) });
const OLD_POLICY = '{ "allow": ["crm.read", "crm.list"] }\n';
export const PINNED_POLICY = '{\n  "allow": ["crm.read"]\n}\n';

export interface PolicyWorld extends PlaybookWorld {
  policy: SignedPolicy;
  gate: ReceiptGate;
  path: string;
  kit: FaultKit;
  release: (text: string) => Promise<unknown>;
}

/** A gate whose policy is a file with signed releases: one that is pinned, and, unless said otherwise, one before it. */
export async function openPolicyWorld({ hasPrevious = true } = {}): Promise<PolicyWorld> {
  const ground = await openGround('policy');
  const path = join(ground.folder, 'policy.json');
  const releases = join(ground.folder, 'releases');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const release = (text: string) => releasePolicy({ releases, text, privateKey });
  if (hasPrevious) await release(OLD_POLICY);
  await release(PINNED_POLICY);
  const policy = await openSignedPolicy(
    { path, releases, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
    {
      load: (text) => {
        const { allow } = Policy.parse(JSON.parse(text));
        return async ({ tool }) => (allow.includes(tool) ? 'allow' : 'deny');
      },
    },
  );
  const gate = createReceiptGate({
    guard: policy,
    canaries: {
      deny: { id: 'deny-canary', tool: 'crm.drop', args: {} },
      allow: { id: 'allow-canary', tool: 'crm.read', args: {} },
    },
    pinnedDigest: () => policy.pinnedDigest(),
  });
  const { adapter } = gate;
  return {
    policy,
    gate,
    path,
    kit: ground.kit,
    release,
    resources: [{ id: 'gate', adapter }],
    subject: 'gate',
    fault: ground.kit.rehearsed(policyTamper, () => ({
      path,
      find: '"crm.read"',
      replace: '"crm.read", "crm.drop"',
    })),
    symptom: async () => ({ signal: 'policy.drifted' }),
    state: async () => ({
      file: hash('sha256', await readFile(path)),
      loaded: policy.policyDigest(),
      isFrozen: await adapter.isFrozen(signal),
    }),
    // Never back to what nobody released: the release before the pinned one.
    afterRollback: () => {
      const previous = hash('sha256', OLD_POLICY);
      return { file: previous, loaded: previous, isFrozen: false };
    },
    close: () => ground.close(),
  };
}
