import { get } from 'node:http';
import { type Clock, systemClock } from '@buddy/core';
import { createDnsResolvers, createGuardian, dnsFailure } from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type DnsMisbehaviour,
  type DnsServer,
  openDnsServer,
} from '../../src/faults/network/dns-server.ts';
import { describePlaybook, type PlaybookWorld } from '../playbook-contract.ts';
import { hurried } from '../worlds/hurried.ts';
import { serveHttp } from '../worlds/http-server.ts';

const { signal } = new AbortController();
const NAME = 'billing.test';
const RECORDS = { records: { [NAME]: ['127.0.0.1'] } };

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Two name servers that know the name of a real HTTP server, and resolvers over both. */
async function makeNames(options: { staleMs?: number; expected?: string[]; clock?: Clock } = {}) {
  const http = await serveHttp((_request, response) => response.end('ok'));
  const [first, second] = [await openDnsServer(RECORDS), await openDnsServer(RECORDS)];
  const { clock = systemClock } = options;
  const input = {
    servers: [first.address, second.address],
    names: { [NAME]: options.expected ?? [] },
    ports: { [NAME]: http.port },
    timeoutMs: 200,
    slowMs: 400, // of a busy machine, still not slow
    ...(options.staleMs !== undefined && { staleMs: options.staleMs }),
  };
  const dns = createDnsResolvers(input, { clock });
  closers.push(
    http.close,
    () => first.close(),
    () => second.close(),
  );
  return { dns, first, second, http };
}

async function dnsWorld(): Promise<PlaybookWorld> {
  const { dns, first, second } = await makeNames();
  const servers = [first.address, second.address];
  return {
    resources: [{ id: 'names', adapter: dns }],
    subject: 'names',
    fault: {
      name: 'the name server in use says SERVFAIL',
      apply: async () => {
        await dns.useResolvers(servers, signal);
        first.misbehave({ is: 'servfail' });
      },
      // As whoever resolves by what is in use sees it.
      isPresent: async () => {
        const [inUse = ''] = dns.current();
        return dns.lookUp(NAME, inUse, signal).then(
          () => false,
          () => true,
        );
      },
      revert: async () => first.misbehave(undefined),
    },
    symptom: async () => ({ signal: 'dns.servfail' }),
    state: async () => ({ current: dns.current(), pinned: dns.pinned(NAME) ?? null }),
    close: async () => undefined,
  };
}

describePlaybook(dnsFailure, dnsWorld);

function failAll(servers: readonly DnsServer[]): void {
  for (const server of servers) server.misbehave({ is: 'servfail' });
}

async function heal(dns: ReturnType<typeof createDnsResolvers>) {
  const guardian = createGuardian(
    { longestStableMs: 100, confirm: { samples: 1, intervalMs: 10 } },
    { resources: [{ id: 'names', adapter: dns }], playbooks: [hurried(dnsFailure)] },
  );
  closers.push(() => guardian.stop());
  await guardian.start();
  const reading = await dns.probe(signal);
  expect(reading.status).toBe('FAILED');
  const told = reading.status === 'FAILED' ? reading.signal : '';
  const { outcome } = await guardian.report({ resource: 'names', signal: told });
  return { outcome: await outcome, guardian, told };
}

describe('playbook dns_failure', () => {
  const ways: readonly [string, DnsMisbehaviour, string][] = [
    ['says nothing', { is: 'timeout' }, 'dns.timeout'],
    ['cannot resolve', { is: 'servfail' }, 'dns.servfail'],
    ['knows no name', { is: 'nxdomain' }, 'dns.nxdomain'],
    ['is too slow', { is: 'slow', delayMs: 2_000 }, 'dns.timeout'],
    ['makes its answers up', { is: 'lie', address: '127.0.0.9' }, 'dns.wrong_answer'],
  ];
  it.each(ways)('leaves a server that %s', async (_how, misbehaviour, expected) => {
    const { dns, first, second } = await makeNames();
    first.misbehave(misbehaviour);
    const { outcome, told } = await heal(dns);
    expect(told).toBe(expected);
    expect(outcome).toBe('restored');
    expect(dns.current()[0]).toBe(second.address);
    expect(await dns.resolve(NAME)).toEqual(['127.0.0.1']);
  });

  it('knows a lie by the addresses that are right, even where the control name is denied', async () => {
    const { dns, first } = await makeNames({ expected: ['127.0.0.1'] });
    expect((await dns.probe(signal)).status).toBe('HEALTHY');
    first.misbehave({ is: 'lie', address: '127.0.0.9' });
    expect(await dns.probe(signal)).toMatchObject({ signal: 'dns.wrong_answer' });
  });

  it('holds on to the last good answer when no server answers', async () => {
    const { dns, first, second } = await makeNames();
    expect((await dns.probe(signal)).status).toBe('HEALTHY');
    failAll([first, second]);
    expect((await heal(dns)).outcome).toBe('restored');
    expect(dns.pinned(NAME)).toEqual(['127.0.0.1']);
    expect(await dns.resolve(NAME)).toEqual(['127.0.0.1']);
  });

  it('never gives an answer that is older than it may be', async () => {
    let later = 0;
    const clock: Clock = {
      now: () => systemClock.now() + later,
      monotonic: () => systemClock.monotonic(),
      sleep: (ms, own) => systemClock.sleep(ms, own),
      external: (work) => work(),
    };
    const { dns, first, second } = await makeNames({ staleMs: 60_000, clock });
    await dns.probe(signal);
    later = 60_001;
    failAll([first, second]);
    const { outcome, guardian } = await heal(dns);
    expect(outcome).toBe('escalated');
    expect(guardian.openIncidents[0]?.reason).toContain('somebody has to look at the name servers');
    expect(dns.pinned(NAME)).toBeUndefined();
    await expect(dns.resolve(NAME)).rejects.toMatchObject({ code: 'GUARDIAN_NAME_NOT_RESOLVED' });
  });

  it('does not call it mended while what the name resolves to accepts no connection', async () => {
    const { dns, first, http } = await makeNames();
    await dns.probe(signal);
    first.misbehave({ is: 'servfail' });
    await http.close();
    const before = dns.current();
    expect((await heal(dns)).outcome).toBe('escalated');
    expect(dns.current()).toEqual(before);
  });

  it('gives its answers to whoever takes a lookup function', async () => {
    const { dns, http } = await makeNames();
    const status = await new Promise((resolve, reject) => {
      get(`http://${NAME}:${http.port}/`, { lookup: dns.lookup, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).once('error', reject);
    });
    expect(status).toBe(200);
  });
});
