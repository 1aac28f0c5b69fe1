import type { Random } from '@buddy/core';

/** What is broken while a run goes on. */
export const FAULT_KINDS = [
  'provider_killed',
  'provider_hangs',
  'port_taken',
  'config_removed',
  'config_corrupted',
  'token_rotated',
  'worker_killed',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const PROVIDERS = ['gohighlevel', 'msgraph', 'mployer'] as const;
export type ProviderName = (typeof PROVIDERS)[number];
/** Those that let in by a token; Mployer by a password, whose sessions outlive its change. */
export const TOKEN_PROVIDERS = ['gohighlevel', 'msgraph'] as const;
export type TokenProvider = (typeof TOKEN_PROVIDERS)[number];
/** The worker. */
export const RECORDER = 'recorder';
export type BotName = ProviderName | typeof RECORDER;

export type PlannedFault = { readonly pauseMs: number } & (
  | {
      readonly kind: Exclude<FaultKind, 'token_rotated' | 'worker_killed'>;
      readonly target: ProviderName;
    }
  | { readonly kind: 'token_rotated'; readonly target: TokenProvider }
  | { readonly kind: 'worker_killed'; readonly target: typeof RECORDER }
);

/**
 * One round after the other, each with every kind once, in an order and on providers by chance; before each, half to one and
 * a half of `everyMs` pass. Endless; the same for a seed.
 */
export function* faultPlan(everyMs: number, random: Random): Generator<PlannedFault, never> {
  for (;;) {
    for (const kind of shuffled(FAULT_KINDS, random)) {
      const pauseMs = everyMs * (0.5 + random());
      switch (kind) {
        case 'worker_killed':
          yield { pauseMs, kind, target: RECORDER };
          break;
        case 'token_rotated':
          yield { pauseMs, kind, target: oneOf(TOKEN_PROVIDERS, random) };
          break;
        case 'provider_killed':
        case 'provider_hangs':
        case 'port_taken':
        case 'config_removed':
        case 'config_corrupted':
          yield { pauseMs, kind, target: oneOf(PROVIDERS, random) };
          break;
      }
    }
  }
}

/** Fisher and Yates. */
function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items];
  return items.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
}

function oneOf<Item>(items: readonly [Item, ...Item[]], random: Random): Item {
  return items[Math.floor(random() * items.length)] ?? items[0];
}
