import { describeFailure, type Tier } from '@buddy/core';
import { armFor } from '../engine/arming.ts';
import { createGuardian } from '../engine/guardian.ts';
import type { DryRun } from '../engine/plan.ts';
import { describeUndo } from '../engine/plan.ts';
import { kindsOf } from '../playbook/context.ts';
import { checkPlaybook, type Playbook } from '../playbook/define-playbook.ts';
import { readResources, type ResourceInput } from '../resource/registry.ts';
import { MOODS, standInFor } from './stand-ins.ts';

/** What one try of a playbook with nothing done came to. */
export interface AuditedDryRun {
  /** The resource's id; undefined when a stand-in took its place. */
  resource: string | undefined;
  isGood: boolean;
  /** Effects that its steps called; none was done. */
  effects: readonly string[];
  /** Steps that the diagnosis did not call for, and that were not tried therefore. */
  notCalledFor: readonly string[];
  problems: readonly string[];
}

export interface AuditedPlaybook {
  id: string;
  name: string;
  category: string;
  tier: Tier;
  priority: number;
  mttrTargetMs: number;
  codeHash: string;
  isGood: boolean;
  /** What is wrong with its definition. */
  problems: readonly string[];
  steps: readonly { id: string; tier: Tier; undo: string }[];
  /** Resources whose trouble it may mend. */
  armedFor: readonly string[];
  /** Resources of its kind, and the roles that nobody fills there. */
  notArmedFor: readonly { resource: string; missing: readonly string[] }[];
  dryRuns: readonly AuditedDryRun[];
}

export interface PlaybookAudit {
  isGood: boolean;
  playbooks: readonly AuditedPlaybook[];
}

export interface PlaybookAuditParts {
  playbooks: readonly Playbook[];
  /** Each playbook is tried dry on those that it is armed for, and on stand-ins where there are none. Default: none. */
  resources?: readonly ResourceInput[];
}

/**
 * Looks at each playbook: is its definition sound, what is it armed for, and can it be followed without doing anything?
 * @throws {GuardianConfigError} When the resources do not fit each other.
 * @example
 * const audit = await auditPlaybooks({ playbooks: builtinPlaybooks });
 * audit.isGood; // true
 */
export async function auditPlaybooks(parts: PlaybookAuditParts): Promise<PlaybookAudit> {
  const { playbooks, resources = [] } = parts;
  const seen = new Set<string>();
  const audited: AuditedPlaybook[] = [];
  for (const playbook of playbooks) {
    const twice = seen.has(playbook.id) ? [`another playbook is "${playbook.id}", too`] : [];
    seen.add(playbook.id);
    audited.push(await auditOne(playbook, resources, [...twice, ...problemsOf(playbook)]));
  }
  return {
    isGood: audited.length > 0 && audited.every(({ isGood }) => isGood),
    playbooks: audited,
  };
}

type Tried = Omit<AuditedDryRun, 'resource'>;

async function auditOne(
  playbook: Playbook,
  resources: readonly ResourceInput[],
  problems: readonly string[],
): Promise<AuditedPlaybook> {
  const { id, name, category, tier, priority, mttrTargetMs, codeHash } = playbook;
  const face = { id, name, category, tier, priority, mttrTargetMs, codeHash, problems };
  const nothing = { steps: [], armedFor: [], notArmedFor: [], dryRuns: [] };
  if (problems.length > 0) return { ...face, ...nothing, isGood: false };
  const registered = readResources(resources);
  const armings = [...registered.values()].flatMap((resource) => {
    const arming = armFor(playbook, resource, registered);
    return arming ? [{ resource: resource.id, arming }] : [];
  });
  const armedFor = armings.filter(({ arming }) => arming.armed).map(({ resource }) => resource);
  const dryRuns: AuditedDryRun[] = [];
  for (const resource of armedFor) {
    dryRuns.push({ resource, ...(await tryDry(playbook, resources, resource)) });
  }
  if (armedFor.length === 0) {
    const tried = await Promise.all(
      standInsFor(playbook).map((standIns) => tryDry(playbook, standIns, standIns[0]?.id ?? '')),
    );
    dryRuns.push({ resource: undefined, ...tried.reduce(bothOf) });
  }
  return {
    ...face,
    isGood: dryRuns.every(({ isGood }) => isGood),
    steps: playbook.steps.map((step) => ({
      id: step.id,
      tier: step.tier,
      undo: describeUndo(step),
    })),
    armedFor,
    notArmedFor: armings.flatMap(({ resource, arming }) =>
      arming.armed ? [] : [{ resource, missing: arming.missing }],
    ),
    dryRuns,
  };
}

function problemsOf(playbook: Playbook): string[] {
  try {
    checkPlaybook(playbook);
    return [];
  } catch (error) {
    return [describeFailure(error).message];
  }
}

function bothOf(one: Tried, other: Tried): Tried {
  return {
    isGood: one.isGood && other.isGood,
    effects: [...new Set([...one.effects, ...other.effects])],
    notCalledFor: one.notCalledFor.filter((step) => other.notCalledFor.includes(step)),
    problems: [...new Set([...one.problems, ...other.problems])],
  };
}

/** One for each role, the first role's is the one that is sick; in each mood, and of each kind that fills the role. */
function standInsFor({ needs }: Playbook): ResourceInput[][] {
  const links = Object.fromEntries(Object.keys(needs).map((role) => [role, `stand-in/${role}`]));
  const variants = Math.max(...Object.values(needs).map((need) => kindsOf(need).length));
  return MOODS.flatMap((mood) =>
    Array.from({ length: variants }, (_, variant) =>
      Object.entries(needs).flatMap(([role, need], index) => {
        const kinds = kindsOf(need);
        const kind = kinds[variant % kinds.length];
        if (kind === undefined) return [];
        const adapter = standInFor(kind, mood);
        return [{ id: `stand-in/${role}`, adapter, ...(index === 0 && { links }) }];
      }),
    ),
  );
}

async function tryDry(
  playbook: Playbook,
  resources: readonly ResourceInput[],
  resource: string,
): Promise<Tried> {
  await using guardian = createGuardian({}, { playbooks: [playbook], resources });
  try {
    return readDryRun(await guardian.dryRun(playbook.id, resource));
  } catch (error) {
    const { message } = describeFailure(error);
    return { isGood: false, effects: [], notCalledFor: [], problems: [message] };
  }
}

function readDryRun({ plan, calls, problems }: DryRun): Tried {
  const told = Object.entries(problems).map(([step, problem]) => `${step}: ${problem}`);
  return {
    isGood: told.length === 0,
    effects: [...new Set(Object.values(calls).flat())],
    notCalledFor: plan.steps.filter(({ isCalledFor }) => !isCalledFor).map(({ id }) => id),
    problems: told,
  };
}
