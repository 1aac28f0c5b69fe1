import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@buddy/core';
import {
  type Authentication,
  type Credential,
  createCredential,
  FileRefusals,
  httpAuthentication,
  type SecretSource,
} from '@buddy/guardian';

/** A folder with a file for each version of a secret, as a vault that is mounted: `1`, `2`, ... */
export interface SecretVersions extends SecretSource {
  /** Keeps a new version, and answers its name. */
  add(secret: string): Promise<string>;
  newest(): Promise<string | undefined>;
}

export function openSecretVersions(folder: string): SecretVersions {
  const versions = async (): Promise<string[]> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(folder)).filter((name) => /^\d+$/.test(name));
    return names.toSorted((a, b) => Number(b) - Number(a));
  };
  const read = (version: string) => readFile(join(folder, version), 'utf8');
  return {
    versions,
    read,
    add: async (secret) => {
      const [last = '0'] = await versions();
      const name = String(Number(last) + 1);
      await writeFileAtomic(join(folder, name), secret, { mode: 0o600 });
      return name;
    },
    newest: async () => {
      const [name] = await versions();
      return name === undefined ? undefined : read(name);
    },
  };
}

export interface ProviderTokenOptions {
  provider: string;
  versions: SecretVersions;
  /** What may be read by whoever is known. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Where it is remembered which versions were refused. */
  refusalsFile: string;
}

/** The token by which a provider knows us. */
export function openProviderToken({
  provider,
  versions,
  url,
  headers,
  refusalsFile,
}: ProviderTokenOptions): Promise<Credential> {
  const ask = httpAuthentication({
    url,
    headersFor: (secret) => ({ ...headers, authorization: `Bearer ${secret}` }),
  });
  return createCredential(
    { name: `token of ${provider}` },
    {
      secrets: versions,
      authenticate: (secret, signal) => {
        const own = AbortSignal.any([signal, AbortSignal.timeout(ASKED_WITHIN_MS)]);
        return askRepeatedly(() => ask(secret, own));
      },
      refusals: new FileRefusals(refusalsFile),
    },
  );
}

const ASKED = 3;
/** Who does not answer by then says nothing about a token; that it hangs is noticed elsewhere. */
const ASKED_WITHIN_MS = 1_500;

/** These providers refuse a call in a hundred for no reason: only who is refused each time is not known to them. */
async function askRepeatedly(ask: () => Promise<Authentication>): Promise<Authentication> {
  for (let refusals = 0, asked = 0; asked < ASKED * 2; asked += 1) {
    const answer = await ask();
    if (answer.is === 'accepted') return answer;
    if (answer.is === 'refused') refusals += 1;
    if (refusals === ASKED) return answer;
  }
  return { is: 'unclear' }; // also when it wants to be left alone: that is for those who really call
}
