import { randomBytes } from 'node:crypto';
import { type Credential, type ProcessIdentity, serviceMark } from '@buddy/guardian';
import {
  type FaultKit,
  fileCorrupt,
  fileRemove,
  type InjectedFault,
  processKill,
  processStop,
} from '@buddy/guardian/faults';
import { BuddyError } from '@buddy/core';
import type { HealingFiles, Places } from './bots.ts';
import type { BotName, PlannedFault, ProviderName, TokenProvider } from './fault-plan.ts';
import { portTaken } from './port-taken.ts';
import type { HealedResources } from './resources.ts';
import type { SecretVersions } from './secret-versions.ts';
import { tokenRotated } from './token-rotated.ts';

export interface FaultInjectorParts {
  kit: FaultKit;
  files: HealingFiles;
  places: Places;
  resources: HealedResources;
  tokens: Readonly<Record<TokenProvider, Credential>>;
  secrets: Readonly<Record<TokenProvider, SecretVersions>>;
}

/** There is no process that could be broken: what was broken before has not been healed. */
class NothingToBreakError extends BuddyError {
  readonly code = 'EXAMPLES_NOTHING_TO_BREAK';
}

/** What a part of a new token looks like, so that it is known as one. */
const TOKEN_OF: Record<TokenProvider, () => string> = {
  gohighlevel: () => `pit-${randomBytes(12).toString('hex')}`,
  msgraph: () => `example.${randomBytes(12).toString('hex')}`,
};

export function newToken(provider: TokenProvider): string {
  return TOKEN_OF[provider]();
}

/** Puts faults there for real, by the kit: each shows that it is there, or is not counted as injected. */
export function createFaultInjector({
  kit,
  files,
  places,
  resources,
  tokens,
  secrets,
}: FaultInjectorParts) {
  const identityOf = async (bot: BotName): Promise<ProcessIdentity> => {
    const state = await resources.services[bot].state(AbortSignal.timeout(5_000));
    if (state.is === 'running') return state.identity;
    throw new NothingToBreakError(`${bot} does not run, so that it cannot be broken`);
  };
  const portOf = async (provider: ProviderName) => ({
    port: places.ports[provider],
    pid: (await identityOf(provider)).pid,
    env: serviceMark({ stateFolder: files.services, id: provider }),
  });
  const rotated = async (provider: TokenProvider) => {
    const token = newToken(provider);
    // Who rotates a token hands the new one to those who are to have it, too.
    await secrets[provider].add(token);
    const inUse = () =>
      secrets[provider].read(tokens[provider].version(), AbortSignal.timeout(5_000));
    return { path: files.admitted(provider), token, inUse };
  };

  return {
    identityOf,
    portOf,
    inject: async (planned: PlannedFault): Promise<InjectedFault> => {
      switch (planned.kind) {
        case 'provider_killed':
        case 'worker_killed':
          return kit.inject(processKill, { identity: await identityOf(planned.target) });
        case 'provider_hangs':
          return kit.inject(processStop, { identity: await identityOf(planned.target) });
        case 'port_taken':
          return kit.inject(portTaken, await portOf(planned.target));
        case 'config_removed':
          return kit.inject(fileRemove, { path: files.config(planned.target) });
        case 'config_corrupted':
          return kit.inject(fileCorrupt, { path: files.config(planned.target) });
        case 'token_rotated':
          return kit.inject(tokenRotated, await rotated(planned.target));
      }
    },
  };
}
export type FaultInjector = ReturnType<typeof createFaultInjector>;
