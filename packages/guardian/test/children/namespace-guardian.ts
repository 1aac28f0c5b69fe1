import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGuardian, createHttpEndpoint, networkUnreachable } from '@buddy/guardian';
import { netns, openFaultKit } from '@buddy/guardian/faults';

// Runs in a network namespace of its own: two ways to a server in another one, of which the first is lost. Tells on stdout
// what became of it, as JSON.
const [fault] = process.argv.slice(2);
const { signal } = new AbortController();
const ip = (...args: string[]) => execFileSync('ip', args);

const program = new URL('namespace-server.ts', import.meta.url).pathname;
const server = spawn('unshare', ['--net', '--', process.execPath, program], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
process.once('exit', () => server.kill());
await once(server.stdout, 'data');
const inServer = (...args: string[]) =>
  execFileSync('nsenter', [`--net=/proc/${server.pid}/ns/net`, 'ip', ...args]);
ip('link', 'set', 'lo', 'up');
for (const way of ['1', '2']) {
  ip('link', 'add', `ours${way}`, 'type', 'veth', 'peer', 'name', `theirs${way}`);
  ip('link', 'set', `theirs${way}`, 'netns', String(server.pid));
  ip('addr', 'add', `10.77.${way}.1/24`, 'dev', `ours${way}`);
  ip('link', 'set', `ours${way}`, 'up');
  inServer('addr', 'add', `10.77.${way}.2/24`, 'dev', `theirs${way}`);
  inServer('link', 'set', `theirs${way}`, 'up');
}

const folder = await mkdtemp(join(tmpdir(), 'guardian-netns-'));
const endpoint = createHttpEndpoint({
  paths: { primary: 'http://10.77.1.2:8080/', replica: 'http://10.77.2.2:8080/' },
  baselineMs: { primary: 60, replica: 60 },
});
const guardian = createGuardian(
  { longestStableMs: 200 },
  { resources: [{ id: 'billing', adapter: endpoint }], playbooks: [networkUnreachable] },
);
await guardian.start();
const kit = openFaultKit({ folder });
const before = await endpoint.probe(signal);
const options =
  fault === 'linkDown'
    ? ({ is: 'linkDown', device: 'ours1' } as const)
    : ({ is: 'routeLost', destination: '10.77.1.0/24' } as const);
const injectedAt = performance.now();
const injected = await kit.inject(netns, options);
for (const body of ['a', 'b']) await endpoint.deliver({ method: 'POST', body });
const during = await endpoint.probe(signal);
const symptom = during.status === 'FAILED' ? during.signal : 'none';
const { outcome } = await guardian.report({
  resource: 'billing',
  signal: symptom,
  certainty: 'decisive',
});
const became = await outcome;
const restoredWithinMs = performance.now() - injectedAt;
const { body } = await endpoint.send({ path: '/delivered' });
const path = endpoint.currentPath();
await injected.revert();
const after = await endpoint.exchange('primary', signal);
process.stdout.write(
  `${JSON.stringify({
    before: before.status,
    during: symptom,
    outcome: became,
    path,
    delivered: JSON.parse(body.toString()),
    afterRevert: after.status,
    restoredWithinMs,
  })}\n`,
);
await guardian.stop();
await endpoint.close();
await kit.close();
server.kill();
await rm(folder, { recursive: true });
