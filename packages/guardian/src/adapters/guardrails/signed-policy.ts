import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseOrThrow, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { PolicyReleaseError } from '../../errors.ts';
import { errorCode } from '../../probes/layers/layer.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import { watchPath } from '../config-file/watch-path.ts';
import type { Guard, GuardedCall } from './receipt-gate.ts';

export const SignedPolicyOptions = z.strictObject({
  /** The policy file. What somebody writes there is never loaded: only a signed release is. */
  path: z.string().min(1),
  /** Folder of the releases, as `releasePolicy` writes it. */
  releases: z.string().min(1),
  /** Ed25519 public key in PEM: releases that are not signed with its private key are none. */
  publicKey: z.string().min(1),
});
export type SignedPolicyInput = z.input<typeof SignedPolicyOptions>;

export interface SignedPolicyPorts {
  /** Makes a policy of its text; throws when it is none. */
  load: (text: string) => (call: GuardedCall, signal: AbortSignal) => Promise<'allow' | 'deny'>;
}

/** A guard whose policy is a signed release. Hand it to `createReceiptGate`, and its `pinnedDigest` with it. */
export interface SignedPolicy extends Required<Omit<Guard, 'revokeGrants'>> {
  /** Digest of the newest release. */
  pinnedDigest(): string;
}

const Release = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/), signature: z.base64() });
const Releases = z.array(Release);
type Release = z.output<typeof Release>;

const DENY_ALL = { digest: 'denies everything', decide: async () => 'deny' as const };
const MOST_LINES = 20;

/**
 * Signs a policy, and makes it the one that should be in force.
 * @example
 * const { privateKey, publicKey } = generateKeyPairSync('ed25519');
 * await releasePolicy({ releases: 'policy/releases', text, privateKey });
 */
export async function releasePolicy({
  releases,
  text,
  privateKey,
}: {
  releases: string;
  text: string;
  privateKey: KeyObject;
}): Promise<{ digest: string }> {
  const digest = hash('sha256', text);
  await mkdir(releases, { recursive: true });
  await writeFileAtomic(join(releases, digest), text);
  const signature = sign(null, signedText(digest), privateKey).toString('base64');
  const all = [...(await readReleases(releases)), { digest, signature }];
  await writeFileAtomic(indexOf(releases), `${JSON.stringify(all, null, 2)}\n`);
  return { digest };
}

/**
 * Loads the newest signed release, and writes it to the policy file, whatever is there.
 * @throws {InvalidInputError} When the options are not usable.
 * @throws {PolicyReleaseError} When there is no signed release.
 */
export async function openSignedPolicy(
  input: SignedPolicyInput,
  { load }: SignedPolicyPorts,
): Promise<SignedPolicy> {
  const { path, releases, publicKey } = parseOrThrow(SignedPolicyOptions, input, 'a signed policy');
  const key = createPublicKey(publicKey);
  let pinned = '';
  let inForce: { digest: string; decide: Guard['decide'] } = DENY_ALL;

  const signed = async (): Promise<Release[]> => {
    const all = await readReleases(releases);
    return all.filter(({ digest, signature }) =>
      verify(null, signedText(digest), key, Buffer.from(signature, 'base64')),
    );
  };
  /** In force at once; then the file is made to say the same. */
  const put = async ({ digest }: Release, isPinned: boolean): Promise<void> => {
    const text = await readFile(join(releases, digest), 'utf8');
    if (hash('sha256', text) !== digest) {
      throw new PolicyReleaseError(
        `${join(releases, digest)} is not what was signed: put the released text back.`,
      );
    }
    inForce = { digest, decide: load(text) };
    if (isPinned) pinned = digest;
    if ((await readIfThere(path)) !== text) await writeFileAtomic(path, text);
  };
  const reload = async (): Promise<void> => {
    const newest = (await signed()).at(-1);
    if (!newest) {
      throw new PolicyReleaseError(
        `In ${releases} there is no release that is signed with the given key: release a policy first.`,
      );
    }
    await put(newest, true);
  };
  const keptDigest = async (): Promise<string> => {
    const text = await readIfThere(path);
    return text === undefined ? 'nothing' : hash('sha256', text);
  };
  const look = async (raise: (sign: Sign) => void): Promise<void> => {
    if ((await keptDigest()) === pinned) return;
    raise({
      status: 'FAILED',
      signal: 'policy.drifted',
      certainty: 'decisive',
      note: `${path} is not the policy that was released`,
      data: diff(await readFile(join(releases, pinned), 'utf8'), (await readIfThere(path)) ?? ''),
    });
  };
  await reload();
  return {
    decide: (call, signal) => inForce.decide(call, signal),
    policyDigest: () => inForce.digest,
    pinnedDigest: () => pinned,
    keptDigest,
    reload,
    reloadPrevious: async () => {
      const before = (await signed()).findLast(({ digest }) => digest !== pinned);
      // Nothing that was released before: nothing is allowed.
      if (before) await put(before, false);
      else inForce = DENY_ALL;
    },
    watch: (raise) => watchPath(path, () => void look(raise)),
  };
}

/** Lines that only one of them has: what was changed, as far as an incident has to tell it. */
function diff(released: string, found: string): { added: string[]; removed: string[] } {
  const [before, after] = [released.split('\n'), found.split('\n')];
  return {
    added: after.filter((line) => !before.includes(line)).slice(0, MOST_LINES),
    removed: before.filter((line) => !after.includes(line)).slice(0, MOST_LINES),
  };
}

/** What the signature is over: said to be for this, so that it is good for nothing else. */
function signedText(digest: string): Buffer {
  return Buffer.from(`buddy guardian policy release ${digest}`);
}

function indexOf(releases: string): string {
  return join(releases, 'releases.json');
}

async function readReleases(releases: string): Promise<Release[]> {
  const text = await readIfThere(indexOf(releases));
  if (text === undefined) return [];
  return parseOrThrow(Releases, JSON.parse(text), indexOf(releases));
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
