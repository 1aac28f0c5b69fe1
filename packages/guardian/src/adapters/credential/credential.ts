import { BuddyError, type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { errorCode, failed, unknown } from '../../probes/layers/layer.ts';
import type { CredentialAdapter } from '../../resource/adapters/access.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { Reading } from '../../resource/reading.ts';
import { SignWatchers } from '../sign-watchers.ts';
import { MemoryRefusals, type RefusalStore } from './refusal-store.ts';

export const CredentialOptions = z.strictObject({
  /** For messages: `billing API key`. */
  name: z.string().min(1),
  /** The version in use at first. Default: the first that the source has. */
  version: z.string().min(1).optional(),
});
export type CredentialInput = z.input<typeof CredentialOptions>;

/** Where secrets are kept. Versions are told by name; a name always means the same secret. */
export interface SecretSource {
  /** In the order in which to try them: the newest first, what stands by last. */
  versions(signal: AbortSignal): Promise<readonly string[]>;
  read(version: string, signal: AbortSignal): Promise<string>;
}

/** What the other side said to a call that only looks. */
export type Authentication =
  | { is: 'accepted' }
  | { is: 'refused' }
  /** It neither took nor refused it: it is down, slow, or has had enough of us. */
  | { is: 'unclear'; status?: number; quotaUntil?: number };

export interface CredentialPorts {
  secrets: SecretSource;
  /** One call that only looks. What it throws is `unclear`; its message is told to nobody, for it may quote the secret. */
  authenticate: (secret: string, signal: AbortSignal) => Promise<Authentication>;
  /** Remembers what was refused. Default: as long as this process lives. */
  refusals?: RefusalStore;
  clock?: Clock;
}

/** Nobody is given the secret: what there is was refused, and to go on with it would lock the account. */
export class CredentialStoppedError extends BuddyError {
  readonly code = 'GUARDIAN_CREDENTIAL_STOPPED';
}

/** The secrets' store did not give a version. Its own message is left out, for it may quote the secret. */
export class SecretUnavailableError extends BuddyError {
  readonly code = 'GUARDIAN_SECRET_UNAVAILABLE';
}

export interface Credential extends CredentialAdapter {
  /**
   * The secret of the version in use, for one call.
   * @throws {CredentialStoppedError} When calling was stopped, or the version in use was refused.
   * @throws {SecretUnavailableError}
   */
  secret(signal?: AbortSignal): Promise<string>;
  /** Told by whoever was refused with a version: that was its one try. */
  noteRefused(version: string): Promise<void>;
  /** For a person who knows that a refusal was the other side's mistake: the version may be tried again. */
  forgive(version: string): Promise<void>;
}

/**
 * A secret in versions. One that was refused is never sent again, by nobody who asks here: repeated refusals lock accounts.
 * The secret itself is in no reading, message, error or field of what this answers, `secret` apart.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const key = createCredential({ name: 'billing API key', version: 'v7' }, {
 *   secrets: vault, authenticate: httpAuthentication({ url: 'https://billing.example/me' }),
 * });
 * fetch(url, { headers: { authorization: `Bearer ${await key.secret()}` } });
 */
export async function createCredential(
  input: CredentialInput,
  ports: CredentialPorts,
): Promise<Credential> {
  const { name, version: wanted } = parseOrThrow(CredentialOptions, input, 'a credential');
  const { secrets, authenticate, refusals = new MemoryRefusals(), clock = systemClock } = ports;
  const never = new AbortController().signal;
  const refused = new Set(await refusals.load());
  const list = (signal: AbortSignal) =>
    clock.external(() => withoutMessage(`versions of ${name}`, () => secrets.versions(signal)));
  const read = (version: string, signal: AbortSignal) =>
    clock.external(() =>
      withoutMessage(`version ${version} of ${name}`, () => secrets.read(version, signal)),
    );
  let version = wanted ?? (await list(never))[0];
  if (version === undefined) {
    throw new GuardianMisuseError(`The store of secrets has no version of ${name}.`);
  }
  let inUse: string = version;
  let isCalling = true;

  const watchers = new SignWatchers();
  const refusedSign = (): Sign => ({
    status: 'FAILED',
    signal: 'credential.refused',
    certainty: 'decisive',
    note: `version ${inUse} of ${name} was refused; it is not tried again`,
  });
  const remember = async (one: string): Promise<void> => {
    refused.add(one);
    await refusals.add(one);
  };
  const probe = async (signal: AbortSignal): Promise<Reading> => {
    const tried = inUse;
    if (refused.has(tried)) return refusedSign();
    const secret = await read(tried, signal);
    const answer = await ask(() => clock.external(() => authenticate(secret, signal)));
    switch (answer.is) {
      case 'accepted':
        if (isCalling) return { status: 'HEALTHY' };
        return failed('credential.stopped', 'decisive', `nobody is given ${name}`);
      case 'refused':
        await remember(tried);
        return refusedSign();
      case 'unclear':
        signal.throwIfAborted();
        return unclearReading(name, answer);
    }
  };
  return {
    kind: 'credential',
    watch: watchers.watch,
    probe,
    version: () => inUse,
    versions: list,
    wasRefused: (one) => refused.has(one),
    isCalling: () => isCalling,
    useVersion: async (wish, signal) => {
      if (!(await list(signal)).includes(wish) && wish !== inUse) {
        throw new GuardianMisuseError(`The store of secrets has no version "${wish}" of ${name}.`);
      }
      inUse = wish;
    },
    stopCalling: async () => {
      isCalling = false;
    },
    resumeCalling: async () => {
      isCalling = true;
    },
    secret: async (signal = never) => {
      if (!isCalling || refused.has(inUse)) {
        throw new CredentialStoppedError(
          `Nothing is called with ${name}: version ${inUse} was refused. Issue a new version.`,
          { retryable: true },
        );
      }
      return read(inUse, signal);
    },
    noteRefused: async (one) => {
      await remember(one);
      if (one === inUse) watchers.tell(refusedSign());
    },
    forgive: async (one) => {
      await refusals.remove(one);
      refused.delete(one);
    },
  };
}

function unclearReading(
  name: string,
  { status, quotaUntil }: Extract<Authentication, { is: 'unclear' }>,
): Reading {
  if (status !== 429) {
    const how = status === undefined ? 'no answer' : `an answer of ${status}`;
    return unknown('probe_error', `whether ${name} is accepted is not known: ${how}`);
  }
  const until = quotaUntil === undefined ? {} : { until: quotaUntil };
  return {
    status: 'FAILED',
    signal: 'http.429',
    certainty: 'decisive',
    note: `what knows ${name} wants to be left alone`,
    conditions: [{ name: 'quota_exhausted', ...until }],
  };
}

async function ask(authenticate: () => Promise<Authentication>): Promise<Authentication> {
  try {
    return await authenticate();
  } catch {
    return { is: 'unclear' }; // what was thrown may quote the secret
  }
}

/** Whatever a store throws may quote the secret: its code is told, and nothing else. */
async function withoutMessage<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errorCode(error);
    const told = code !== undefined && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : '';
    // Without a cause, on purpose: it may quote the secret.
    throw new SecretUnavailableError(`The store of secrets did not give ${what}${told}.`, {
      retryable: true,
    });
  }
}
