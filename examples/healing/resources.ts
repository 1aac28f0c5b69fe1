import { join } from 'node:path';
import type { Supervisor } from '@buddy/bots';
import {
  type ConfigFileAdapter,
  createBotService,
  createConfigFile,
  createHttpPort,
  createServiceLaunch,
  type Credential,
  type PortAdapter,
  type ResourceInput,
  type ServiceAdapter,
} from '@buddy/guardian';
import { z } from 'zod';
import type { HealingFiles, Places } from './bots.ts';
import {
  type BotName,
  PROVIDERS,
  type ProviderName,
  RECORDER,
  TOKEN_PROVIDERS,
  type TokenProvider,
} from './fault-plan.ts';

/** What a guardian watches over in a healed run. */
export interface HealedResources {
  inputs: readonly ResourceInput[];
  services: Readonly<Record<BotName, ServiceAdapter>>;
  ports: Readonly<Record<BotName, PortAdapter>>;
  configs: Readonly<Record<ProviderName, ConfigFileAdapter>>;
}

/** What each of them needs to be a config; the whole is checked by who reads it. */
const ProviderConfig = z.looseObject({
  only: z.enum(PROVIDERS),
  port: z.int(),
  token: z.string(),
});

/** Who accepts and says nothing for so long hangs, in ms. */
const SILENT_AFTER_MS = 1_000;

export function healedResources(
  files: HealingFiles,
  places: Places,
  supervisor: Supervisor,
  tokens: Readonly<Record<TokenProvider, Credential>>,
): HealedResources {
  const portOf = (bot: BotName) =>
    createHttpPort({
      port: places.ports[bot],
      path: bot === RECORDER ? '/' : '/__buddy/health',
      silentAfterMs: SILENT_AFTER_MS,
    });
  const ports = {
    gohighlevel: portOf('gohighlevel'),
    msgraph: portOf('msgraph'),
    mployer: portOf('mployer'),
    recorder: portOf(RECORDER),
  };
  const serviceOf = (bot: BotName) =>
    createBotService(
      supervisor,
      bot,
      { stateFolder: files.services },
      { ready: (signal) => ports[bot].exchange(signal) },
    );
  const services = {
    gohighlevel: serviceOf('gohighlevel'),
    msgraph: serviceOf('msgraph'),
    mployer: serviceOf('mployer'),
    recorder: serviceOf(RECORDER),
  };
  const configOf = (provider: ProviderName) =>
    createConfigFile(
      { path: files.config(provider), stateFolder: join(files.copies, provider) },
      { parse: (text) => ProviderConfig.parse(JSON.parse(text)) },
    );
  const configs = {
    gohighlevel: configOf('gohighlevel'),
    msgraph: configOf('msgraph'),
    mployer: configOf('mployer'),
  };
  const inputs: ResourceInput[] = [
    ...PROVIDERS.flatMap((id) => [
      { id: `${id}-config`, adapter: configs[id] },
      { id: `${id}-launch`, adapter: launchOf(id) },
      { id, adapter: services[id], dependsOn: [`${id}-config`, `${id}-launch`] },
      { id: `${id}-port`, adapter: ports[id], dependsOn: [id] },
    ]),
    ...TOKEN_PROVIDERS.map((id) => ({
      id: `${id}-token`,
      adapter: tokens[id],
      dependsOn: [id],
    })),
    { id: RECORDER, adapter: services.recorder },
    { id: `${RECORDER}-port`, adapter: ports.recorder, dependsOn: [RECORDER] },
  ];
  return { inputs, services, ports, configs };

  function launchOf(service: ProviderName) {
    const { services: stateFolder } = files;
    return createServiceLaunch({ service, stateFolder, ports: [places.ports[service]] });
  }
}
