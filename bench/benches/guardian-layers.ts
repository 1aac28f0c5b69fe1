import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../packages/core/src/index.ts';
import {
  applicationProbe,
  createLayerProbes,
  dataLinkProbe,
  lineSession,
  networkProbe,
  presentationProbe,
  sessionProbe,
  transportProbe,
} from '../../packages/guardian/src/index.ts';
import { makeCertificate } from '../../packages/guardian/test/certificates.ts';
import type { Figure } from '../measure/figure.ts';

const ROUNDS = 300;
const WARM_UPS = 100;

/** What a look at all six layers costs the process that looks; what it looks at has an event loop of its own. */
export async function measureGuardianLayers(): Promise<Figure[]> {
  const { key, cert, ca } = await makeCertificate('good');
  const server = new Worker(SERVERS, { eval: true, workerData: { key, cert } });
  const [ports] = await once(server, 'message');
  const host = '127.0.0.1';
  const session = lineSession({ target: { host, port: ports.lines } });
  const layers = createLayerProbes({}, [
    dataLinkProbe(),
    networkProbe({ host }),
    transportProbe({ host, port: ports.http }),
    sessionProbe(session),
    presentationProbe({
      target: { host, port: ports.tls },
      serverName: 'localhost',
      ca,
      clock: systemClock,
    }),
    applicationProbe({ url: `http://${host}:${ports.http}/`, now: () => systemClock.now() }),
  ]);
  for (let left = WARM_UPS; left > 0; left -= 1) await layers.probeAll();
  const before = process.threadCpuUsage();
  const startedAt = performance.now();
  for (let left = ROUNDS; left > 0; left -= 1) await layers.probeAll();
  const wallMs = (performance.now() - startedAt) / ROUNDS;
  const { user, system } = process.threadCpuUsage(before);
  const { layers: seen } = layers.summary();
  await session.close();
  await server.terminate();
  const states = Object.entries(seen).map(([layer, { status }]) => `${layer} ${status}`);
  return [
    {
      name: 'six layers at once, time on the processor',
      unit: 'ms',
      measured: (user + system) / 1_000 / ROUNDS,
      outcome: states.join(', '),
      target: { is: 'at most', value: 3 },
    },
    { name: 'six layers at once, by the wall', unit: 'ms', measured: wallMs },
  ];
}

const SERVERS = `
  const { parentPort, workerData } = require('node:worker_threads');
  const open = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));
  const http = require('node:http').createServer((_request, answer) => answer.end('ok'));
  const tls = require('node:tls').createServer(workerData, (socket) => socket.on('error', () => socket.destroy()));
  const lines = require('node:net').createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket));
  Promise.all([open(http), open(tls), open(lines)]).then(([http, tls, lines]) => parentPort.postMessage({ http, tls, lines }));`;
