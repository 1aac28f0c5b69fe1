import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { systemClock } from '@buddy/core';
import { createLagMeter, HEALTHY, takeSample, transportProbe } from '@buddy/guardian';

// What a probe costs, and whether our own lateness is ever taken for another's.
// pnpm --filter @buddy/guardian bench:probes

const LOOKS = 20_000;
const CONNECTS = 3_000;
const STALLS = 200;
const STALL_MS = 200;
const STALL_TIMEOUT_MS = 150;

const ports = { clock: systemClock, lag: createLagMeter(systemClock) };
const { signal } = new AbortController();

const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const target = {
  host: '127.0.0.1',
  port: typeof address === 'object' && address ? address.port : 0,
};
const transport = transportProbe(target);

function sample(timeoutMs: number, look = (own: AbortSignal) => transport.look(own)) {
  return takeSample(ports, { name: 'bench', timeoutMs, signal, look });
}

async function medianUs(count: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let done = 0; done < count; done += 1) {
    const startedAt = performance.now();
    await work();
    times.push((performance.now() - startedAt) * 1_000);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(count / 2)] ?? 0;
}

async function rawConnect(): Promise<void> {
  const socket = connect(target);
  await once(socket, 'connect');
  socket.destroy();
}

const nothing = async () => HEALTHY;
await medianUs(LOOKS, () => sample(1_000, nothing));
const wrapper = await medianUs(LOOKS, () => sample(1_000, nothing));
console.log(`wrapper around a probe, p50: ${wrapper.toFixed(1)} us`);

await medianUs(CONNECTS, rawConnect);
const raw = await medianUs(CONNECTS, rawConnect);
const probed = await medianUs(CONNECTS, () => sample(1_000));
console.log(
  `layer 4, p50: ${probed.toFixed(0)} us, raw connect ${raw.toFixed(0)} us: ${(probed / raw).toFixed(2)} x`,
);

const statuses = new Map<string, number>();
for (let done = 0; done < STALLS; done += 1) {
  const looking = sample(STALL_TIMEOUT_MS);
  const until = performance.now() + STALL_MS;
  while (performance.now() < until);
  const { status } = await looking;
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
}
console.log(`${STALLS} probes of a healthy server under stalls of ${STALL_MS} ms:`, statuses);
server.close();
