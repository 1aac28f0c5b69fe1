import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BotRegistry, createBotRegistry } from '@buddy/bots';
import { writeFileAtomic } from '@buddy/core';
import { serviceMark } from '@buddy/guardian';
import { SAMPLE_CONTACTS } from '../world/tools.ts';
import type { RecorderConfig } from './call-counts.ts';
import { type BotName, PROVIDERS, type ProviderName, RECORDER } from './fault-plan.ts';

const BOTS: readonly BotName[] = [...PROVIDERS, RECORDER];

/** Where a healed run keeps what its bots, its guardian and its faults need, in its folder `state`. */
export interface HealingFiles {
  /** For the marks of processes, and for how they are launched. */
  services: string;
  registry: string;
  logs: string;
  /** For copies of configs from good times, a folder for each. */
  copies: string;
  /** Revert journal of the faults. */
  faults: string;
  /** Of the guardian. */
  store: string;
  callCounts: string;
  config: (bot: BotName) => string;
  /** The tokens that a provider lets in. */
  admitted: (provider: ProviderName) => string;
  /** The tokens that clients know, by version. */
  secrets: (provider: ProviderName) => string;
  refusals: (provider: ProviderName) => string;
}

export function healingFiles(stateFolder: string): HealingFiles {
  const folder = join(stateFolder, 'healing');
  return {
    services: join(folder, 'services'),
    registry: join(folder, 'bots.json'),
    logs: join(folder, 'logs'),
    copies: join(folder, 'copies'),
    faults: join(folder, 'faults'),
    store: join(folder, 'guardian.db'),
    callCounts: join(folder, 'calls.json'),
    // A folder for each: a config is watched by its folder.
    config: (bot) => join(folder, 'configs', bot, 'config.json'),
    admitted: (provider) => join(folder, 'providers', `${provider}.tokens.json`),
    secrets: (provider) => join(folder, 'secrets', provider),
    refusals: (provider) => join(folder, 'secrets', `${provider}.refused.json`),
  };
}

/** Where bots listen, and by which token they are steered. */
export interface Places {
  ports: Readonly<Record<BotName, number>>;
  controlToken: string;
}

export async function choosePlaces(): Promise<Places> {
  const [gohighlevel = 0, msgraph = 0, mployer = 0, recorder = 0] = await freePorts(BOTS.length);
  return {
    ports: { gohighlevel, msgraph, mployer, recorder },
    controlToken: randomBytes(24).toString('base64url'),
  };
}

/** All are held until all are known, so that none is named twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

export function urlOf({ ports }: Places, bot: BotName): string {
  return `http://127.0.0.1:${ports[bot]}`;
}

const MOCKS = fileURLToPath(
  new URL('../../packages/mocks/src/bin/buddy-mocks.ts', import.meta.url),
);
const WORKER = fileURLToPath(new URL('recorder.ts', import.meta.url));
const LOOK_EVERY_MS = 500;
/** Between being asked to end and being ended by force; a provider has nothing to lose. */
const STOP_GRACE_MS = 300;

/** Writes the configs, and who is to run by them. */
export async function registerBots(
  files: HealingFiles,
  places: Places,
  { seed, speed }: { seed: number; speed: number },
): Promise<BotRegistry> {
  const { controlToken: token, ports } = places;
  for (const only of PROVIDERS) {
    const isLetInByToken = only !== 'mployer';
    await writeConfig(files.config(only), {
      only,
      plain: true,
      port: ports[only],
      token,
      seed,
      speed,
      faults: 'seed',
      ...(only === 'gohighlevel' && { contacts: SAMPLE_CONTACTS }),
      ...(isLetInByToken && { admit: files.admitted(only) }),
    });
  }
  const recorder: RecorderConfig = {
    port: ports.recorder,
    file: files.callCounts,
    everyMs: LOOK_EVERY_MS,
    providers: PROVIDERS.map((name) => ({ name, url: urlOf(places, name), token })),
  };
  await writeConfig(files.config(RECORDER), recorder);
  const registry = createBotRegistry({ file: files.registry });
  for (const id of BOTS) {
    const program =
      id === RECORDER ? [WORKER, files.config(id)] : [MOCKS, 'serve', '--config', files.config(id)];
    const mark = serviceMark({ stateFolder: files.services, id });
    const definition = {
      role: id === RECORDER ? 'worker' : 'integrator',
      deployment: {
        // Values of variables are not kept in a registry, and this one is no secret: by it the guardian knows what is ours.
        command: 'env',
        args: [
          ...Object.entries(mark).map((entry) => entry.join('=')),
          process.execPath,
          '--conditions=@buddy/source',
          ...program,
        ],
        stopGraceMs: STOP_GRACE_MS,
      },
    } as const;
    if (await registry.get(id)) await registry.update(id, definition);
    else await registry.create({ id, ...definition });
  }
  return registry;
}

/** It holds a token. */
async function writeConfig(path: string, config: object): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
