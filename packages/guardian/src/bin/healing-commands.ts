import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { textTable } from '@buddy/core';
import type { GuardianConfig } from '../config/guardian-config.ts';
import { createGuardian, type Guardian } from '../engine/guardian.ts';
import type { DryRun } from '../engine/plan.ts';
import { GuardianMisuseError } from '../errors.ts';
import { builtinPlaybooks } from '../playbooks/builtin-playbooks.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { type GuardianStore, type JournaledRun } from '../store/store.ts';
import { type Answer, durationOf, type Host } from './answer.ts';
import { needConfig } from './config-module.ts';

/** What a playbook would do to a resource now. Looks, and does nothing. */
export async function dryRun(
  [playbook = '', resource = '']: readonly string[],
  { config: file, signal }: Readonly<Record<string, unknown>>,
  { folder, clock }: Host,
): Promise<Answer> {
  const config = await needConfig(file, folder);
  try {
    await using guardian = createGuardian(config.options ?? {}, partsOf(config, { clock }));
    const symptom = typeof signal === 'string' ? { signal } : {};
    const result = await guardian.dryRun(playbook, resource, symptom);
    const isGood = Object.keys(result.problems).length === 0;
    return { text: textOf(result), json: result, exitCode: isGood ? 0 : 1 };
  } finally {
    await config.close?.();
  }
}

function textOf({ plan, calls, problems }: DryRun): string {
  const rows = plan.steps.map((step) => [
    step.id,
    step.tier,
    !step.isCalledFor ? 'not called for' : (step.refusal ?? 'would run'),
    calls[step.id]?.join(' '),
    step.undo,
  ]);
  const roles = Object.entries(plan.roles).map(([role, id]) => `${role}: ${id}`);
  const told = Object.entries(problems).map(([step, problem]) => `  ${step}: ${problem}\n`);
  return `${plan.playbook} on ${plan.resource} (${roles.join(', ')}): tier ${plan.tier}, about ${durationOf(plan.expectedMs)}
${textTable(['STEP', 'TIER', 'NOW', 'EFFECTS', 'TAKEN BACK'], rows)}${told.length === 0 ? '' : `Not followed to the end:\n${told.join('')}`}Nothing was done.
`;
}

/** Takes back a healing of the past. */
export async function rollBack(
  [runId = '']: readonly string[],
  { config: file, store: named, show }: Readonly<Record<string, unknown>>,
  host: Host,
): Promise<Answer> {
  const config = await needConfig(file, host.folder);
  try {
    const path = storeFileOf(named ?? config.store, host.folder);
    const store = openSqliteStore(path, { isReadOnly: show === true });
    await using guardian = createGuardian(
      config.options ?? {},
      partsOf(config, { store, clock: host.clock }),
    );
    const journaled = runOf(store, runId, config);
    const before = describe(journaled, guardian);
    if (show === true) {
      return { text: `${before}Nothing was done.\n`, json: journaled, exitCode: 0 };
    }
    const problems: string[] = [];
    guardian.events.on('alertRaised', ({ message }) => problems.push(message));
    const { undone, isWhole } = await guardian.rollBack(runId);
    const after = store.journal(runId);
    const told = problems.map((problem) => `  ${problem}\n`).join('');
    return {
      text: `${after ? describe(after, guardian) : ''}${undone} steps were taken back${isWhole ? '.' : `; not all could be:\n${told}`}\n`,
      json: { run: runId, undone, isWhole, problems, steps: after?.steps ?? [] },
      exitCode: isWhole ? 0 : 1,
    };
  } finally {
    await config.close?.();
  }
}

function runOf(store: GuardianStore, runId: string, { resources = [] }: GuardianConfig) {
  const journaled = store.journal(runId);
  if (!journaled) {
    throw new GuardianMisuseError(
      `There is no run "${runId}" in the store; buddy-guardian stats lists the last ones.`,
    );
  }
  const missing = Object.values(journaled.run.roles).filter(
    (role) => !resources.some(({ id }) => id === role),
  );
  if (missing.length === 0) return journaled;
  throw new GuardianMisuseError(
    `Run "${runId}" was on ${missing.join(', ')}, which the config module does not have; nothing was taken back.`,
  );
}

function describe({ run, steps }: JournaledRun, guardian: Guardian): string {
  const playbook = guardian.playbooks().find(({ id }) => id === run.playbook);
  const rows = steps
    .toSorted((a, b) => b.index - a.index)
    .map(({ step, state }) => [
      step,
      state,
      playbook?.steps.find(({ id }) => id === step)?.undo ??
        'the playbook has no such step any more',
    ]);
  return `Run ${run.id}: ${run.playbook} on ${run.resource}, ${run.result}
${textTable(['STEP', 'STATE', 'TAKEN BACK'], rows)}`;
}

export function storeFileOf(named: unknown, folder: string): string {
  if (typeof named !== 'string') {
    throw new GuardianMisuseError(
      'Which store? Name its file with --store, or as `store` of the config module.',
    );
  }
  const path = resolve(folder, named);
  if (!existsSync(path)) throw new GuardianMisuseError(`There is no store at ${path}.`);
  return path;
}

function partsOf(
  { resources = [], playbooks = builtinPlaybooks }: GuardianConfig,
  ports: Pick<Host, 'clock'> & { store?: GuardianStore },
) {
  return { resources, playbooks, ...ports };
}
