import {
  createCredential,
  httpAuthentication,
  type RefusalStore,
  type SecretSource,
} from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { serveHttp } from './http-server.ts';

export const secretOf = (version: string) => `hunter2-of-${version}-${'x'.repeat(20)}`;

/** An API that knows some secrets, counts how often it saw each, and a store of versions. */
export async function openAccount(versions: string[], options: { refusals?: RefusalStore } = {}) {
  const accepted = new Set(versions.slice(-1));
  const seen = new Map<string, number>();
  const { url, close } = await serveHttp((request, response) => {
    const secret = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const version = versions.find((each) => secretOf(each) === secret) ?? 'none';
    seen.set(version, (seen.get(version) ?? 0) + 1);
    response.writeHead(accepted.has(version) ? 200 : 401).end(`you sent ${secret}`);
  });
  const secrets: SecretSource = {
    versions: async () => versions.toReversed(),
    read: async (version) => secretOf(version),
  };
  const credential = await createCredential(
    { name: 'billing key' },
    { secrets, authenticate: httpAuthentication({ url }), ...options },
  );
  const callsAnApp = async () => {
    const secret = await credential.secret();
    return (await fetch(url, { headers: { authorization: `Bearer ${secret}` } })).status;
  };
  return { credential, accepted, seen, versions, url, callsAnApp, close };
}

export async function openRotationWorld(): Promise<PlaybookWorld> {
  const account = await openAccount(['v1']);
  const { credential, accepted, versions, callsAnApp, close } = account;
  return {
    resources: [{ id: 'key', adapter: credential }],
    subject: 'key',
    fault: {
      name: 'the server takes another key from now on',
      apply: async () => {
        const next = `v${versions.length + 1}`;
        versions.push(next);
        accepted.clear();
        accepted.add(next);
      },
      isPresent: () =>
        callsAnApp().then(
          (status) => status === 401,
          () => true,
        ),
      revert: async () => {
        accepted.add(credential.version());
      },
    },
    symptom: async () => ({ signal: 'credential.refused' }),
    state: async () => ({ version: credential.version(), isCalling: credential.isCalling() }),
    close,
  };
}
