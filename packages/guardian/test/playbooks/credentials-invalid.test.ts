import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createCredential,
  createGuardian,
  type Credential,
  credentialsInvalid,
  FileRefusals,
  httpAuthentication,
  MemoryStore,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openAccount, openRotationWorld, secretOf } from '../worlds/credentials-invalid.ts';
import { hurried } from '../worlds/hurried.ts';
import { serveHttp } from '../worlds/http-server.ts';

const { signal } = new AbortController();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describePlaybook(credentialsInvalid, openRotationWorld);

async function makeAccount(...args: Parameters<typeof openAccount>) {
  const account = await openAccount(...args);
  closers.push(() => account.close());
  return account;
}

async function heal(credential: Credential, store = new MemoryStore()) {
  const guardian = createGuardian(
    { longestStableMs: 50 },
    {
      resources: [{ id: 'key', adapter: credential }],
      playbooks: [hurried(credentialsInvalid)],
      store,
    },
  );
  closers.push(() => guardian.stop());
  const events: unknown[] = [];
  for (const name of ['alertRaised', 'stepChanged', 'runPlanned', 'runEnded'] as const) {
    guardian.events.on(name, (event: unknown) => events.push(event));
  }
  guardian.events.on('incidentClosed', (event) => events.push(event));
  await guardian.start();
  const { outcome } = await guardian.report({
    resource: 'key',
    signal: 'credential.refused',
    certainty: 'decisive',
  });
  return { outcome: await outcome, guardian, events };
}

describe('playbook credentials_invalid', () => {
  it('takes the version that stands by when the newest is refused too, and tries each once', async () => {
    const { credential, accepted, seen, callsAnApp } = await makeAccount(['standby', 'old', 'new']);
    await credential.useVersion('old', signal);
    accepted.clear();
    accepted.add('standby');
    expect((await heal(credential)).outcome).toBe('restored');
    expect(credential.version()).toBe('standby');
    expect(await callsAnApp()).toBe(200);
    expect([seen.get('old'), seen.get('new')]).toEqual([1, 1]);
  });

  it('calls nobody any more when nothing is left, and tries no version twice', async () => {
    const { credential, accepted, seen, callsAnApp } = await makeAccount(['v1']);
    accepted.clear();
    const { outcome, guardian } = await heal(credential);
    expect(outcome).toBe('escalated');
    expect(credential.isCalling()).toBe(false);
    await expect(callsAnApp()).rejects.toMatchObject({ code: 'GUARDIAN_CREDENTIAL_STOPPED' });
    for (let looks = 0; looks < 20; looks += 1) await credential.probe(signal);
    expect(seen.get('v1')).toBe(1);
    expect(guardian.openIncidents).toHaveLength(1);
  });

  it('begins when the application says that it was refused, long before the next look', async () => {
    const { credential, accepted, versions, seen, callsAnApp } = await makeAccount(['v1']);
    const guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000 },
      { resources: [{ id: 'key', adapter: credential }], playbooks: [credentialsInvalid] },
    );
    closers.push(() => guardian.stop());
    await guardian.start();
    versions.push('v2');
    accepted.clear();
    accepted.add('v2');
    expect(await callsAnApp()).toBe(401);
    await credential.noteRefused(credential.version());
    await expect.poll(() => credential.version(), { interval: 10, timeout: 15_000 }).toBe('v2');
    expect(await callsAnApp()).toBe(200);
    expect(seen.get('v1')).toBe(1);
  });

  it('begins to call again with a version that comes later', async () => {
    const { credential, accepted, versions, callsAnApp } = await makeAccount(['v1']);
    accepted.clear();
    await heal(credential);
    versions.push('v2');
    accepted.add('v2');
    expect((await heal(credential)).outcome).toBe('restored');
    expect(await callsAnApp()).toBe(200);
  });

  it('leaves alone what is accepted, whatever was reported', async () => {
    const { credential } = await makeAccount(['v1']);
    expect((await heal(credential)).outcome).toBe('restored');
    expect([credential.version(), credential.isCalling()]).toEqual(['v1', true]);
  });

  it('tries no other version when it is not known whether this one is refused', async () => {
    const secrets = {
      versions: async () => ['v2', 'v1'],
      read: async (version: string) => version,
    };
    const tried: string[] = [];
    const credential = await createCredential(
      { name: 'key', version: 'v1' },
      {
        secrets,
        authenticate: async (secret) => {
          tried.push(secret);
          return { is: 'unclear', status: 503 };
        },
      },
    );
    expect(await credential.probe(signal)).toMatchObject({ status: 'UNKNOWN' });
    expect((await heal(credential)).outcome).toBe('escalated');
    expect(credential.version()).toBe('v1');
    expect(credential.isCalling()).toBe(true);
    expect(new Set(tried)).toEqual(new Set(['v1']));
  });

  it('says that a restart helps nothing when the other side answers 429', async () => {
    const { url, close } = await serveHttp((_request, response) => {
      response.writeHead(429, { 'retry-after': '60' }).end();
    });
    closers.push(close);
    const secrets = { versions: async () => ['v1'], read: async () => 'x' };
    const authenticate = httpAuthentication({ url });
    const credential = await createCredential({ name: 'key' }, { secrets, authenticate });
    expect(await credential.probe(signal)).toMatchObject({
      signal: 'http.429',
      conditions: [{ name: 'quota_exhausted', until: expect.any(Number) }],
    });
  });
});

describe('a credential', () => {
  it('has its secret in no reading, error, event or journal', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guardian-credential-'));
    closers.push(() => rm(folder, { recursive: true }));
    const refusals = new FileRefusals(join(folder, 'refused.json'));
    const { credential, accepted } = await makeAccount(['v1', 'v2'], { refusals });
    accepted.clear();
    const store = new MemoryStore();
    const told: unknown[] = [];
    const { guardian, events } = await heal(credential, store);
    told.push(await credential.probe(signal), events, guardian.stats(), guardian.metricsText());
    told.push(store.incidents(10), store.runs(10), guardian.openIncidents);
    told.push(await credential.secret().catch((error: unknown) => [String(error), error]));
    told.push(await readFile(join(folder, 'refused.json'), 'utf8'));
    const leaky = await createCredential(
      { name: 'key', version: 'v1' },
      {
        secrets: {
          versions: async () => ['v1'],
          read: async () => {
            throw Object.assign(new Error(`bad vault: ${secretOf('v1')}`), {
              code: secretOf('v1'),
            });
          },
        },
        authenticate: async (secret) => {
          throw new Error(`cannot send ${secret}`);
        },
      },
    );
    const failure: unknown = await leaky.probe(signal).catch((error: unknown) => error);
    told.push(failure, failure instanceof Error ? [failure.stack, failure.cause] : undefined);
    const text = told
      .map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
      .join();
    expect(text).toContain('was refused');
    expect(text).not.toContain('hunter2');
  });

  it('remembers in its file what was refused, so that a new process does not try it again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guardian-credential-'));
    closers.push(() => rm(folder, { recursive: true }));
    const path = join(folder, 'refused.json');
    const secrets = { versions: async () => ['v1'], read: async () => 'x' };
    let tries = 0;
    const ports = () => ({
      secrets,
      authenticate: async () => {
        tries += 1;
        return { is: 'refused' as const };
      },
      refusals: new FileRefusals(path),
    });
    await (await createCredential({ name: 'key' }, ports())).probe(signal);
    const next = await createCredential({ name: 'key' }, ports());
    expect(await next.probe(signal)).toMatchObject({ signal: 'credential.refused' });
    expect(tries).toBe(1);
    await next.forgive('v1');
    await next.probe(signal);
    expect(tries).toBe(2);
  });
});
