import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ConfigConsumer,
  type ConfigFileAdapter,
  createConfigFile,
  createProcessService,
  type RehearsedFault,
  type ServiceAdapter,
} from '@buddy/guardian';
import { fileRemove, type FaultKit } from '@buddy/guardian/faults';
import { z } from 'zod';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { freePort, openGround, until } from './ground.ts';

const { signal } = new AbortController();
const program = new URL('../children/config-reader.ts', import.meta.url).pathname;
const AppConfig = z.strictObject({ limit: z.number() });
export const GOOD_CONFIG = '{ "limit": 10 }\n';

export interface ConfigWorld extends PlaybookWorld {
  config: ConfigFileAdapter;
  reader: ServiceAdapter;
  kit: FaultKit;
  path: string;
  stateFolder: string;
}

/** A config file of mode 0640, and a program in a process of its own that works by it. It is up. */
export async function openConfigWorld(
  broken: { fault?: (kit: FaultKit, path: string) => RehearsedFault; signal: string },
  env: Record<string, string> = {},
): Promise<ConfigWorld> {
  const ground = await openGround('config');
  const path = join(ground.folder, 'etc/app.json');
  await mkdir(join(ground.folder, 'etc'));
  await writeFile(path, GOOD_CONFIG);
  await chmod(path, 0o640);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const reader = createProcessService(
    {
      id: 'reader',
      command: process.execPath,
      args: [program],
      env: { CONFIG: path, PORT: String(port), ...env },
      stateFolder: join(ground.folder, 'state'),
      stopGraceMs: 200,
    },
    {
      ready: async (own) =>
        (await ask(url, 'GET', own)) === undefined
          ? { status: 'FAILED', signal: 'port.refused', certainty: 'decisive', note: 'no answer' }
          : { status: 'HEALTHY' },
    },
  );
  const consumer: ConfigConsumer = {
    generation: (own) => ask(url, 'GET', own),
    reload: async (own) => void (await ask(url, 'POST', own)),
  };
  const stateFolder = join(ground.folder, 'copies');
  const config = createConfigFile(
    { path, stateFolder },
    { parse: (text) => AppConfig.parse(JSON.parse(text)), consumer },
  );
  await reader.start(signal);
  await until(async () => {
    const { status } = await config.probe(signal);
    return status === 'HEALTHY' && (await config.lastKnownGood(signal)) !== undefined;
  });
  return {
    config,
    reader,
    kit: ground.kit,
    path,
    stateFolder,
    resources: [{ id: 'app-config', adapter: config }],
    subject: 'app-config',
    fault: broken.fault?.(ground.kit, path) ?? ground.kit.rehearsed(fileRemove, () => ({ path })),
    symptom: async () => ({ signal: broken.signal }),
    state: async () => ({ file: await lookAt(path), loaded: await consumer.generation(signal) }),
    close: () => ground.close(() => reader.stop(signal)),
  };
}

async function ask(url: string, method: string, own: AbortSignal): Promise<string | undefined> {
  const answer = fetch(url, { method, signal: AbortSignal.any([own, AbortSignal.timeout(1_000)]) });
  return answer.then(
    async (response) => (response.ok ? response.text() : undefined),
    () => undefined,
  );
}

export async function lookAt(path: string) {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 'nothing';
  const content = await readFile(path);
  return {
    mode: found.mode & 0o777,
    uid: found.uid,
    digest: createHash('sha256').update(content).digest('hex'),
  };
}
