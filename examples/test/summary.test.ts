import { createHarness, type RunResult } from '@buddy/agents';
import { ManualClock } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import type { HealingCounts } from '../healing/healing-ledger.ts';
import { summaryOf } from '../orchestrator/summary.ts';
import { createWorld, DEFAULT_ACTION } from '../world/tools.ts';

async function resultOfRun(): Promise<RunResult> {
  const clock = new ManualClock();
  const world = { seed: 23, truth: new Map(), environment: { DRY_RUN: 'true' } };
  const harness = createHarness(
    { defaultAction: DEFAULT_ACTION, allowUngoverned: true },
    { tools: createWorld(world, clock).tools, clock },
  );
  await harness.load({ tasks: ['{"task_id":"t","predicted_success_probability":1}\n'] });
  return clock.run(() => harness.run());
}

const NO_PROGRAMS = { ok: 0, error: 0, violation: 0, limit: 0, paused: 0 };

async function summary(
  changes: Partial<RunResult>,
  {
    isColoured = false,
    programs = {},
    violations = 0,
    pending = 0,
    healing,
  }: {
    isColoured?: boolean;
    programs?: Partial<typeof NO_PROGRAMS>;
    violations?: number;
    pending?: number;
    healing?: HealingCounts;
  } = {},
): Promise<string> {
  const result = { ...(await resultOfRun()), ...changes };
  const report = {
    result,
    folder: '/out',
    runFolder: '/out',
    reportPath: '/out/phase21/report.md',
    programs: { runs: { ...NO_PROGRAMS, ...programs }, violations },
    gate: { calls: 3, denied: 1, pending, approvals: { cli: 2 } },
    healing,
    notes: ['Mind.'],
  };
  return summaryOf(report, { isColoured });
}

describe('the summary of a run', () => {
  it('says how it went, on what input, and where the report is', async () => {
    const text = await summary({});
    for (const line of [
      'completed',
      'tasks      1: 1 completed',
      'success    100.0 % of 1 scored',
      'input      no problems',
      'governed   3 calls, each in the log before it was made; 1 denied, 2 approved',
      'note       Mind.',
      'report     /out/phase21/report.md',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).not.toContain('\u001b');
  });

  it('says what was not run, and what waits', async () => {
    const waiting = [{ taskId: 't', approvalId: 'a', why: 'approval' }];
    const text = await summary({ status: 'cancelled', unfinishedWaves: [2, 3], waiting });
    expect(text).toContain('interrupted; the files hold what was done');
    expect(text).toContain('unfinished waves 2, 3');
    expect(text).toContain('waiting    1 for a person; see the report');
  });

  it('says how to approve and go on when people are all that is waited for', async () => {
    const waiting = [{ taskId: 't', approvalId: 'a', why: 'approval' }];
    const text = await summary({ status: 'waiting', waiting }, { pending: 1 });
    const database = '--database /out/state/governance.db';
    expect(text).toContain(`npx -y pnpm@12 governance approvals list ${database}\n`);
    expect(text).toContain(`npx -y pnpm@12 governance approvals approve ID ${database}\n`);
    expect(text).toContain('npx -y pnpm@12 start --go-on /out\n');
    expect(await summary({ status: 'cancelled', waiting }, { pending: 1 })).not.toContain('go on');
  });

  it.each([
    [1, '1 problem, listed in phase21/load_problems.jsonl'],
    [2, '2 problems, listed'],
  ])('counts %i problems of the input', async (problems, words) => {
    expect(await summary({ problems })).toContain(words);
  });

  it('does not divide by nothing', async () => {
    const counts = { ...(await resultOfRun()).counts, completed: 0 };
    expect(await summary({ counts, tasks: 0 })).toContain('nothing was scored');
  });

  it.each([
    [900, '1 s'],
    [61_000, '1 min 1 s'],
    [3_599_600, '1 h 0 min'],
    [90_061_000, '25 h 1 min'],
  ])('tells %i ms as %s', async (ms, words) => {
    const { startedAt } = await resultOfRun();
    expect(await summary({ endedAt: startedAt + ms })).toContain(`time       ${words} on`);
  });

  it('says how programs came out, if there were any', async () => {
    expect(await summary({})).not.toContain('code ');
    expect(await summary({}, { programs: { ok: 1 } })).toContain('code       1 program: 1 ok\n');
    const programs = { ok: 5, error: 2, limit: 1 };
    expect(await summary({}, { programs, violations: 3 })).toContain(
      'code       8 programs: 5 ok, 2 error, 1 limit; 3 violations\n',
    );
  });

  it('says what was broken and what of it was healed, if anything was', async () => {
    expect(await summary({})).not.toContain('healed ');
    const fault = {
      kind: 'provider_killed',
      target: 'mployer',
      healedMs: 900,
      problem: null,
      incidents: ['i1'],
    } as const;
    const healing: HealingCounts = {
      faults: [fault, { ...fault, kind: 'provider_hangs', target: 'msgraph', healedMs: null }],
      injected: 2,
      healed: 1,
      incidents: { restored: 2, parked: 1 },
      mttr: { count: 2, meanMs: 1_234, p50Ms: 1_000, p95Ms: 1_500, oldestOpenMs: 60_000 },
      playbooks: {},
      ledger: { symptoms: 3, outcomes: {}, pending: 0 },
      rehearsals: [],
    };
    expect(await summary({}, { healing })).toContain(
      'healed     1 of 2 faults; 3 incidents, 1.2 s to restore in the mean; not healed: provider_hangs of msgraph\n',
    );
  });

  it('is coloured when it may be', async () => {
    expect(await summary({}, { isColoured: true })).toContain('\u001b[1m');
  });
});
