import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createHttpPort,
  createProcessService,
  createProcessVitals,
  createServiceLaunch,
  type ProcessIdentity,
  type ProcessServiceInput,
  type ProcessVitalsInput,
  type ServiceLaunchInput,
  VITALS_SOCKET,
} from '@buddy/guardian';
import { openFaultKit } from '@buddy/guardian/faults';

export const signal: AbortSignal = new AbortController().signal;
const program = new URL('../children/vital-service.ts', import.meta.url).pathname;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += 10) {
    if (waited > 20_000) throw new Error('it never was so');
    await sleep(10);
  }
}

/** Asks from outside, by a client that the guardian has no part in. */
async function answers(port: number): Promise<boolean> {
  const url = `http://127.0.0.1:${port}/`;
  const request = fetch(url, {
    signal: AbortSignal.timeout(400),
    headers: { connection: 'close' },
  });
  return request.then(
    (response) => response.ok,
    () => false,
  );
}

export interface ServiceWorldInput {
  env?: Record<string, string>;
  service?: Partial<ProcessServiceInput>;
  launch?: Partial<ServiceLaunchInput>;
  vitals?: Partial<ProcessVitalsInput>;
  /** Whether pictures of what it does are kept, in `evidence` of its folder. */
  keepsEvidence?: boolean;
}

/** A service in a process of its own that answers HTTP and tells of itself, how it is launched, and what breaks it. */
export async function makeServiceWorld(input: ServiceWorldInput = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'gp-'));
  const socket = join(folder, 'vitals.sock');
  /** While it is there, the service takes a minute to start, unless it is in safe mode. */
  const slowFile = join(folder, 'slow-dependency');
  const ports = input.launch?.ports ?? [await freePort()];
  const whereIsIt = () => launch.settings().port ?? 0;
  const moves: number[] = [];
  const launch = createServiceLaunch(
    { service: 'api', stateFolder: folder, provenAfterMs: 0, ...input.launch, ports },
    { onPort: (moved) => void moves.push(moved) },
  );
  const port = createHttpPort({ port: ports[0] ?? 0 }, { whereIsIt });
  const service = createProcessService(
    {
      id: 'api',
      command: process.execPath,
      args: ['--conditions=@buddy/source', '--inspect-port=0', program],
      env: {
        [VITALS_SOCKET]: socket,
        SLOW_FILE: slowFile,
        STARTS_FILE: join(folder, 'starts'),
        ...input.env,
      },
      stateFolder: folder,
      stopGraceMs: 200,
      ...input.service,
    },
    { ready: (own) => port.probe(own), launch },
  );
  const evidence = join(folder, 'evidence');
  const vitals = createProcessVitals(
    {
      id: 'api',
      socket,
      ...(input.keepsEvidence === true && { evidenceFolder: evidence }),
      ...input.vitals,
    },
    { service },
  );
  const kit = openFaultKit({ folder: join(folder, 'faults') });
  const identity = async (): Promise<ProcessIdentity | undefined> => {
    const state = await service.state(signal);
    return state.is === 'running' ? state.identity : undefined;
  };
  const target = async (): Promise<ProcessIdentity> => {
    const found = await identity();
    if (!found) throw new Error('it does not run');
    return found;
  };
  const isWell = async () => (await service.probe(signal)).status === 'HEALTHY';
  return {
    folder,
    evidence,
    slowFile,
    service,
    launch,
    port,
    vitals,
    kit,
    moves,
    identity,
    target,
    isWell,
    whereIsIt,
    answers: () => answers(whereIsIt()),
    isRunning: async () => (await identity()) !== undefined,
    isExited: async () => (await service.state(signal)).is === 'exited',
    start: async () => {
      await service.start(signal);
      await until(isWell);
    },
    resources: [
      {
        id: 'api',
        adapter: service,
        links: { launch: 'api-launch', vitals: 'api-vitals', port: 'api-port' },
      },
      { id: 'api-launch', adapter: launch },
      // Not dependent on the service: what is seen within it is a cause, and no consequence of its silence.
      { id: 'api-vitals', adapter: vitals, links: { service: 'api', launch: 'api-launch' } },
      { id: 'api-port', adapter: port, dependsOn: ['api'] },
    ],
    close: async () => {
      await kit.close();
      await service.stop(signal);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type ServiceWorld = Awaited<ReturnType<typeof makeServiceWorld>>;
