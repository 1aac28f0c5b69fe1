import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createHttpPort,
  createProcessService,
  type PortAdapter,
  type ServiceAdapter,
} from '@buddy/guardian';
import { freePort, until } from './ground.ts';

const { signal } = new AbortController();

export const httpProgram = new URL('../children/http-service.ts', import.meta.url).pathname;

/** A service in a process of its own that answers HTTP, and its port. It is up. */
export async function startHttpService(program: string, cwd?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'guardian-world-'));
  const number = await freePort();
  const port: PortAdapter = createHttpPort({ port: number });
  const service: ServiceAdapter = createProcessService(
    {
      id: 'api',
      command: process.execPath,
      args: [program],
      env: { PORT: String(number) },
      stateFolder: folder,
      stopGraceMs: 200,
      // A soak kills it more often than a crash loop would end it, and a loop is what another playbook is for.
      crashLoop: { ends: 1_000_000, sameStack: 1_000_000 },
      ...(cwd !== undefined && { cwd }),
    },
    { ready: (own) => port.probe(own) },
  );
  await service.start(signal);
  await until(async () => (await port.probe(signal)).status === 'HEALTHY');
  const pid = async () => {
    const state = await service.state(signal);
    return state.is === 'running' ? state.identity.pid : undefined;
  };
  const close = async () => {
    await service.stop(signal);
    await rm(folder, { recursive: true });
  };
  return { service, port, number, pid, close };
}

/** Asks from outside, by a client that the guardian has no part in. */
export async function answers(port: number): Promise<boolean> {
  const request = fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(400) });
  return request.then(
    (response) => response.ok,
    () => false,
  );
}
