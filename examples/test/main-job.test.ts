import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recomputeHealth } from '@buddy/agents';
import { verifyAuditLog } from '@buddy/governance';
import { SEED_FAULTS } from '@buddy/mocks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DEFAULT_INPUT } from '../orchestrator/arguments.ts';
import { traitsOf } from '../world/agents.ts';
import { careOf, loadTruth, type TaskTruth } from '../world/truth.ts';
import { filesBelow, hashOfPhases, recordsOf, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

async function runMainJob(...args: string[]): Promise<string> {
  const out = await folders.make();
  const { code, stderr } = await runExample('orchestrator.ts', ['--out', out, ...args]);
  if (code !== 0) throw new Error(`It ended with ${code}: ${stderr}`);
  return out;
}

const Plan = z.object({ agents: z.array(z.object({ agent_id: z.string(), speed: z.number() })) });

/** What came out of one task, and what its truth would have. */
interface Trial {
  taskId: string;
  agentId: string;
  action: string;
  wave: number;
  isSuccess: boolean;
  truth: TaskTruth;
}

describe('the main job on the shipped data, with all mails approved', () => {
  let out = '';
  let second = '';
  let trials: Trial[] = [];
  let outcomes: Record<string, unknown>[] = [];

  beforeAll(async () => {
    [out, second] = await Promise.all([
      runMainJob('--approve-all-dev'),
      runMainJob('--approve-all-dev'),
    ]);
    const truth = await loadTruth(join(DEFAULT_INPUT, '..', 'truth.jsonl'));
    outcomes = [...(await filesBelow(out))]
      .filter(([path]) => path.endsWith('outcomes.jsonl'))
      .flatMap(([, text]) => recordsOf(text));
    trials = outcomes.flatMap((record) => {
      const known = truth.get(String(record['task_id']));
      if (!known) throw new Error(`No truth of ${String(record['task_id'])}`);
      if (record['actual_success'] === null) return [];
      return [
        {
          taskId: known.taskId,
          agentId: String(record['agent_id']),
          action: String(record['action']),
          wave: Number(record['wave']),
          isSuccess: record['actual_success'] === true,
          truth: known,
        },
      ];
    });
  });

  it('leaves the same bytes in its phase folders each time', async () => {
    expect(await hashOfPhases(second)).toBe(await hashOfPhases(out));
  });

  it.each([
    [['--agents', '7', '--strategy', 'confidence', '--waves', '1-2']],
    [['--strategy', 'round_robin', '--seed', '5', '--waves', '2']],
    [['--strategy', 'priority', '--agents', '1', '--waves', '3']],
  ])('does so with %j too', async (args) => {
    const [first, again] = await Promise.all([runMainJob(...args), runMainJob(...args)]);
    expect(await hashOfPhases(again)).toBe(await hashOfPhases(first));
    expect(await hashOfPhases(again)).not.toBe(await hashOfPhases(out));
  });

  it('accounts for every task, each once', async () => {
    const record = JSON.parse(await readFile(join(out, 'phase21', 'run.json'), 'utf8'));
    const ids = new Set(outcomes.map(({ task_id: id }) => id));
    expect(ids.size).toBe(10_000);
    expect(outcomes).toHaveLength(10_000 + countOf(outcomes, 'waiting'));
    expect(record).toMatchObject({ tasks: 10_000, unfinished_waves: [] });
    for (const status of ['completed', 'failed', 'skipped']) {
      expect([status, record.counts[status]]).toEqual([status, countOf(outcomes, status)]);
    }
  });

  it('skips only what depends on what was not done', () => {
    const skipped = outcomes.filter((record) => record['status'] === 'skipped');
    expect(new Set(skipped.map((record) => record['error_code']))).toEqual(
      new Set(['AGENTS_DEPENDENCY_NOT_DONE', 'AGENTS_DEPENDENCY_IMPOSSIBLE']),
    );
  });

  /** Which agent takes up the program that does so hangs on every answer before; a careless one may mistype it. */
  function triesNetwork(): boolean {
    const written = outcomes.find(({ task_id: id }) => id === 't02-01359');
    return !String(written?.['error_message']).includes('Did you mean');
  }

  it('runs every program, and stops those that misbehave', () => {
    const programs = outcomes.filter((record) => record['action'] === 'sandbox.run');
    expect(programs.length).toBeGreaterThan(40);
    const codes = Map.groupBy(programs, (record) => String(record['error_code']));
    const counts = Object.fromEntries([...codes].map(([code, all]) => [code, all.length]));
    expect(counts).toEqual({
      null: expect.any(Number), // nothing went wrong
      SANDBOX_PROGRAM_FAILED: expect.any(Number),
      ...(triesNetwork() && { SANDBOX_PROGRAM_VIOLATION: 1 }),
      SANDBOX_PROGRAM_LIMIT: 2,
    });
    expect(counts['null']).toBeGreaterThan(programs.length / 2);
    const failed = codes.get('SANDBOX_PROGRAM_FAILED') ?? [];
    // An agent's slip, or the misspelt name in the data.
    for (const { error_message: message } of failed)
      expect(message).toMatch(
        /^ReferenceError: (tolls|fuond) is not defined \(line \d\) Did you mean/,
      );
  });

  it('writes down what programs tried that they may not, where and when', async () => {
    const text = await readFile(join(out, 'phase21', 'violations.jsonl'), 'utf8');
    const violations = recordsOf(text);
    expect(violations.map((record) => record['violation_type'])).toEqual([
      ...(triesNetwork() ? ['NETWORK_ACCESS_ATTEMPT'] : []),
      'TIMEOUT',
      'FILESYSTEM_ATTEMPT',
      'MEMORY_LIMIT',
    ]);
    const byId = new Map(outcomes.map((record) => [record['task_id'], record]));
    for (const violation of violations) {
      const outcome = byId.get(violation['task_id']);
      expect(outcome).toMatchObject({ action: 'sandbox.run' });
      const at = String(violation['timestamp']);
      expect(at >= String(outcome?.['start_time']) && at <= String(outcome?.['end_time'])).toBe(
        true,
      );
    }
    // One was told no, and did what it came for all the same.
    const ends = violations.map(({ task_id: id }) => byId.get(id)?.['status']);
    expect(ends.slice(-3)).toEqual(['failed', 'completed', 'failed']);
  });

  it('tells of programs in the report, and keeps what they used beside it', async () => {
    const report = await readFile(join(out, 'phase21', 'report.md'), 'utf8');
    const section = report.split('## Code in the sandbox\n')[1]?.split('\n## ')[0] ?? '';
    const usage = recordsOf(await readFile(join(out, 'state', 'sandbox_usage.jsonl'), 'utf8'));
    const programs = outcomes.filter((record) => record['action'] === 'sandbox.run');
    const ended = programs.filter((record) => record['status'] === 'completed').length;
    expect(section).toContain(`| with a value | ${ended} |`);
    expect(
      /\| `NETWORK_ACCESS_ATTEMPT` \| `t\d\d-\d{5}` \| 2 \| fetch\(\) is not/.test(section),
    ).toBe(triesNetwork());
    expect(section).toMatch(/\| cpu \| 500 ms \| `t\d\d-\d{5}` \|/);
    expect(section).toMatch(/\| memory \| 64 MB \| `t\d\d-\d{5}` \|/);
    expect(new Set(usage.map((record) => record['task_id']))).toEqual(
      new Set(programs.map((record) => record['task_id'])),
    );
    expect(usage).toHaveLength(programs.length);
    const [loop] = usage.filter(({ status, peak_mb: mb }) => status === 'limit' && Number(mb) < 64);
    expect(Number(loop?.['cpu_ms'])).toBeGreaterThan(500);
  });

  it('made every call through the gate, within all limits, and its log of all that verifies', async () => {
    const report = await readFile(join(out, 'phase21', 'report.md'), 'utf8');
    const rows = [...report.matchAll(/^\| ([123]) \| (\d+) \| (\d+) \|$/gm)];
    expect(rows.map(([, tier, executed]) => [tier, executed])).toEqual(
      rows.map(([, tier, , intents]) => [tier, intents]),
    );
    const calls = rows.map(([, , executed]) => Number(executed));
    expect(Math.min(...calls)).toBeGreaterThan(1_000);
    // What no tool would take was refused before anybody was asked, and nothing else was.
    const misfits = outcomes.filter(
      ({ error_code: code }) => code === 'CORE_TOOL_INPUT_INVALID',
    ).length;
    expect(misfits).toBeGreaterThan(100);
    expect(report).toContain(`| calls denied within 24 hours | ${misfits} |`);
    const database = join(out, 'state', 'governance.db');
    expect(await verifyAuditLog({ file: database })).toMatchObject({ exitCode: 0 });
    const bytes = await readFile(database);
    for (const words of ['benefits renewal', 'plan renews soon', 'tools.mployer']) {
      expect([words, bytes.includes(words)]).toEqual([words, false]);
    }
  });

  it('has a health that recomputes from its own record', async () => {
    const record = JSON.parse(await readFile(join(out, 'phase21', 'system_health.json'), 'utf8'));
    expect(recomputeHealth(record).score).toBe(record.score);
  });

  it('learns: recalibrated probabilities score better than those of the input', () => {
    const late = outcomes.filter(
      (record) => record['actual_success'] !== null && Number(record['wave']) > 1,
    );
    const brier = (field: string) =>
      late.reduce(
        (sum, record) =>
          sum + (Number(record[field]) - Number(record['actual_success'] === true)) ** 2,
        0,
      ) / late.length;
    expect(brier('calibrated_success_probability')).toBeLessThan(
      brier('predicted_success_probability') - 0.02,
    );
  });

  it('finds out who is fast', async () => {
    const text = await readFile(join(out, 'phase21', 'wave_10', 'plan.json'), 'utf8');
    const plan = Plan.parse(JSON.parse(text));
    const bySpeed = plan.agents.toSorted((a, b) => b.speed - a.speed).map((a) => a.agent_id);
    expect(bySpeed).toEqual(['agent_0', 'agent_1', 'agent_2', 'agent_3']);
  });

  describe('comes out as the truth has it, within 4 standard deviations', () => {
    const groups: Readonly<Record<string, (trial: Trial) => string>> = {
      overall: () => 'all',
      'by agent': ({ agentId }) => agentId,
      'by action': ({ action }) => action,
      'by wave': ({ wave }) => String(wave),
    };

    it.each(Object.entries(groups))('%s', (_name, groupOf) => {
      const worst = deviations(trials, groupOf, chanceOf);
      expect(worst.size).toBeGreaterThan(0);
      for (const [group, sigmas] of worst) {
        expect([group, sigmas, Math.abs(sigmas) < 4]).toEqual([group, sigmas, true]);
      }
    });

    const perturbed: Readonly<Record<string, (trial: Trial) => number>> = {
      'agents who take more care': (trial) => chanceOf(trial, { skill: 0.3 }),
      'agents who are all alike': ({ truth, action }) =>
        (truth.isBadInput ? 0 : careOf({ skill: -0.15 }, truth)) * providerChance(action),
      'bad inputs that work': (trial) =>
        chanceOf({ ...trial, truth: { ...trial.truth, isBadInput: false } }),
      'no drift in wave 6': (trial) => {
        const { truth, wave } = trial;
        const difficulty = truth.difficulty - (wave >= 6 ? 0.9 : 0);
        return chanceOf({ ...trial, truth: { ...truth, difficulty } });
      },
      'a coin thrown beside the call': () => 0.76,
    };

    it.each(Object.entries(perturbed))('and not as if there were %s', (_name, chance) => {
      const worst = Object.values(groups).flatMap((groupOf) =>
        [...deviations(trials, groupOf, chance).values()].map(Math.abs),
      );
      expect(Math.max(...worst)).toBeGreaterThan(4);
    });
  });

  it('takes the time that the truth has, or more: an agent of half the speed takes twice as long', () => {
    const durations = new Map(
      outcomes.map((record) => [String(record['task_id']), Number(record['execution_time'])]),
    );
    const worked = trials.filter(({ truth }) => !truth.isBadInput);
    const tooFast = worked.filter(({ taskId, agentId, truth }) => {
      const leastMs = truth.workMs / traitsOf(agentId).speed;
      return 1_000 * (durations.get(taskId) ?? 0) < leastMs - 1; // what is written is in whole ms
    });
    expect(tooFast).toEqual([]);
  });
});

function countOf(outcomes: readonly Record<string, unknown>[], status: string): number {
  return outcomes.filter((record) => record['status'] === status).length;
}

/** The probability of success: the input is possible, the agent gets it right, and the provider does it in three tries. */
function chanceOf({ agentId, action, truth }: Trial, { skill = 0 } = {}): number {
  if (truth.isBadInput) return 0;
  return careOf({ skill: traitsOf(agentId).skill + skill }, truth) * providerChance(action);
}

/** A program asks again by itself until it is answered; but one in seven sends a mail, once. */
const PROGRAM_CHANCE = 1 - 0.04 / 7;

const OPERATIONS: Readonly<Record<string, { provider: string; isWriteOnce: boolean }>> = {
  'mployer.contacts.search': { provider: 'mployer', isWriteOnce: false },
  'gohighlevel.contacts.find': { provider: 'gohighlevel', isWriteOnce: false },
  'gohighlevel.contacts.update': { provider: 'gohighlevel', isWriteOnce: false },
  'gohighlevel.contacts.create': { provider: 'gohighlevel', isWriteOnce: true },
  'msgraph.mail.send': { provider: 'msgraph', isWriteOnce: true },
  'msgraph.mail.search': { provider: 'msgraph', isWriteOnce: false },
};

/** From the fault rates alone: refusals are final, the rest is tried three times; half of lost writes have happened. */
function providerChance(action: string): number {
  if (action === 'sandbox.run') return PROGRAM_CHANCE;
  const { provider, isWriteOnce } = OPERATIONS[action] ?? {};
  const rate = (status: number) =>
    SEED_FAULTS.filter(
      (rule) =>
        rule.match.provider === provider &&
        rule.match.operation !== 'session.create' &&
        rule.status === status,
    ).reduce((sum, { when }) => sum + when.rate, 0);
  const happened = isWriteOnce ? rate(408) / 2 : 0;
  const again = rate(429) + rate(408) - happened;
  const success = 1 - rate(401) - again;
  return success * (1 + again + again ** 2);
}

/** How far the successes of each group are from what `chance` expects, in standard deviations. */
function deviations(
  trials: readonly Trial[],
  groupOf: (trial: Trial) => string,
  chance: (trial: Trial) => number,
): Map<string, number> {
  const sums = new Map<string, { excess: number; variance: number }>();
  for (const trial of trials) {
    const sum = sums.get(groupOf(trial)) ?? { excess: 0, variance: 0 };
    const p = chance(trial);
    sum.excess += Number(trial.isSuccess) - p;
    sum.variance += p * (1 - p);
    sums.set(groupOf(trial), sum);
  }
  return new Map(
    [...sums].map(([group, { excess, variance }]) => [group, excess / Math.sqrt(variance)]),
  );
}
