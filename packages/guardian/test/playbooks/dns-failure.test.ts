import { get } from 'node:http';
import { type Clock, systemClock } from '@buddy/core';
import { createGuardian, dnsFailure, type DnsResolvers } from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import type { DnsMisbehaviour, DnsServer } from '@buddy/guardian/faults';
import { describePlaybook } from '../playbook-contract.ts';
import { NAME, openNames, openServfailWorld } from '../worlds/dns-failure.ts';
import { hurried } from '../worlds/hurried.ts';

const { signal } = new AbortController();

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describePlaybook(dnsFailure, openServfailWorld);

async function makeNames(...args: Parameters<typeof openNames>) {
  const names = await openNames(...args);
  closers.push(() => names.close());
  return names;
}

function failAll(servers: readonly DnsServer[]): void {
  for (const server of servers) server.misbehave({ is: 'servfail' });
}

async function heal(dns: DnsResolvers) {
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

  it('begins with the first question that is answered wrongly, long before the next look', async () => {
    const { dns, first, second } = await makeNames();
    const guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000 },
      { resources: [{ id: 'names', adapter: dns }], playbooks: [dnsFailure] },
    );
    closers.push(() => guardian.stop());
    await guardian.start();
    first.misbehave({ is: 'servfail' });
    expect(await dns.resolve(NAME)).toEqual(['127.0.0.1']); // of the second, who asks does not notice
    await expect
      .poll(() => dns.current()[0], { interval: 10, timeout: 15_000 })
      .toBe(second.address);
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
