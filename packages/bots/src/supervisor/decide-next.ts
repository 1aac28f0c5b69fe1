import type { Random } from '@buddy/core';
import type { RestartPolicy } from '../bot/bot.ts';
import { backoffMs } from './backoff.ts';
import type { Verdict } from './classify-exit.ts';
import type { RestartWindow } from './restart-window.ts';

/** What comes after the end of a bot's process. */
export type Next =
  | { readonly kind: 'restart'; readonly waitMs: number; readonly restarts: number }
  | { readonly kind: 'rest'; readonly status: 'stopped' | 'crashed'; readonly reason: string }
  | { readonly kind: 'quarantine'; readonly reason: string };

export interface Situation {
  readonly policy: RestartPolicy;
  readonly window: RestartWindow;
  readonly random: Random;
}

/** Erlang's rules, and one more: nothing that only a person can mend is tried again. Counts a restart that it decides on. */
export function decideNext({ kind, reason }: Verdict, situation: Situation): Next {
  const { policy, window, random } = situation;
  if (kind === 'requested') return { kind: 'rest', status: 'stopped', reason };
  if (!isRestarted(kind, policy)) {
    return { kind: 'rest', status: kind === 'finished' ? 'stopped' : 'crashed', reason };
  }
  if (kind === 'configuration') return { kind: 'quarantine', reason };
  const before = window.count(policy);
  if (before >= policy.intensity) {
    const within = `${before} restarts within ${policy.periodMs / 1000} s of running`;
    return { kind: 'quarantine', reason: `${within}; the last end: ${reason}` };
  }
  window.add();
  const restarts = before + 1;
  return { kind: 'restart', restarts, waitMs: backoffMs(restarts, policy, random) };
}

function isRestarted(kind: Verdict['kind'], policy: RestartPolicy): boolean {
  switch (policy.kind) {
    case 'permanent':
      return true;
    case 'transient':
      return kind !== 'finished';
    case 'temporary':
      return false;
  }
}
