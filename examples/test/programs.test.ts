import { spawn as spawnProcess } from 'node:child_process';
import { createHarness, MemoryOutput, type RunResult } from '@buddy/agents';
import {
  ApprovalRequiredError,
  countingId,
  defineTool,
  ManualClock,
  markGoverned,
  type Tool,
} from '@buddy/core';
import type { Spawn } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPrograms, type Programs } from '../orchestrator/programs.ts';
import { createWorld } from '../world/tools.ts';
import { recordsOf } from './command.ts';

interface Job {
  output: MemoryOutput;
  programs: Programs;
  clock: ManualClock;
  result: RunResult;
  decide: (taskId: string) => Promise<RunResult>;
  close: () => Promise<void>;
}

/** A job of nothing but programs, each a task of its own. */
async function runJob(
  codes: readonly string[],
  { spawn, tools = [] }: { spawn?: Spawn; tools?: readonly Tool[] } = {},
): Promise<Job> {
  const clock = new ManualClock();
  const output = new MemoryOutput();
  const environment = { DRY_RUN: 'true' };
  const world = createWorld({ seed: 23, truth: new Map(), environment }, clock);
  const programTools = [...world.programTools.map((tool) => markGoverned(tool)), ...tools]; // no gate is tried here
  const programs = createPrograms(
    { ...world, programTools },
    { clock, output, seed: 23, ...(spawn && { spawn }) },
  );
  const harness = createHarness(
    { agents: [{ id: 'ada', capacity: 2 }, { id: 'ben' }] },
    {
      tools: [programs.tool],
      clock,
      output,
      newId: countingId('run'),
      sections: () => programs.ledger.sections(),
    },
  );
  await harness.load({
    tasks: codes.map(
      (code, at) =>
        `${JSON.stringify({ task_id: `p${at}`, predicted_success_probability: 0.9, code })}\n`,
    ),
  });
  return {
    output,
    programs,
    clock,
    result: await clock.run(() => harness.run()),
    decide: (taskId) => clock.run(() => harness.decide(taskId, { kind: 'proceed' })),
    close: async () => {
      await programs.close();
      await harness.close();
    },
  };
}

function fileOf({ output }: Job, path: string): string {
  return output.files.get(path) ?? '';
}

/** Starts processes late, one later than the other: they answer in another order than they were asked. */
function slowSpawn(delaysMs: readonly number[]): Spawn {
  let started = 0;
  return (command, args, options) => {
    const delay = (delaysMs[started++ % delaysMs.length] ?? 0) / 1_000;
    return spawnProcess(
      '/bin/sh',
      ['-c', `sleep ${delay}; exec "$0" "$@"`, command, ...args],
      options,
    );
  };
}

describe('a job of programs', () => {
  const SEARCH = "(await tools.mployer.contacts.search({ state: 'TX' })).found";
  const CODES = [
    `const found = ${SEARCH}; await new Promise((done) => setTimeout(done, 250)); [found, Date.now(), Math.random()]`,
    `try { fetch('x') } catch {} ${SEARCH}`,
    `const both = await Promise.all([${SEARCH}, ${SEARCH}]); require('fs')`,
    'for (;;) {}',
    "throw new Error('no')",
    `for (let n = 0; n < 3; n++) await tools.msgraph.mail.search({ query: 'renewal' }); 'looked'`,
  ];
  const jobs: Job[] = [];

  beforeAll(async () => {
    jobs.push(await runJob(CODES));
    jobs.push(await runJob(CODES, { spawn: slowSpawn([40, 0, 80]) }));
  });
  afterAll(async () => {
    for (const job of jobs) await job.close();
  });

  it('leaves the same bytes in whatever order its processes come to answer', () => {
    const [first, second] = jobs.map(({ output }) => Object.fromEntries(output.files));
    expect(Object.keys(first ?? {})).toContain('phase21/violations.jsonl');
    expect(second).toEqual(first);
  });

  it('has as outcomes what became of the programs', () => {
    const [job] = jobs;
    if (!job) throw new Error('No job ran');
    const outcomes = [...job.output.files]
      .filter(([path]) => path.endsWith('outcomes.jsonl'))
      .flatMap(([, text]) => recordsOf(text))
      .toSorted((a, b) => String(a['task_id']).localeCompare(String(b['task_id'])));
    expect(outcomes.map(({ status, error_code: code }) => [status, code])).toEqual([
      ['completed', null],
      ['completed', null],
      ['failed', 'SANDBOX_PROGRAM_VIOLATION'],
      ['failed', 'SANDBOX_PROGRAM_LIMIT'],
      ['failed', 'SANDBOX_PROGRAM_FAILED'],
      ['completed', null],
    ]);
  });

  it('counts them in the report, and writes each violation once', () => {
    const [job] = jobs;
    if (!job) throw new Error('No job ran');
    const report = fileOf(job, 'phase21/report.md');
    for (const row of [
      '| with a value | 3 |',
      '| with an error | 1 |',
      '| stopped for what they tried | 1 |',
      '| stopped at a limit | 1 |',
      '| cpu | 500 ms | `p3` |',
    ]) {
      expect(report).toContain(row);
    }
    expect(report).toContain('3 violations, in phase21/violations.jsonl.');
    const violations = recordsOf(fileOf(job, 'phase21/violations.jsonl'));
    expect(
      violations
        .map(({ task_id: id, violation_type: type }) => `${String(id)} ${String(type)}`)
        .toSorted(),
    ).toEqual(['p1 NETWORK_ACCESS_ATTEMPT', 'p2 FILESYSTEM_ATTEMPT', 'p3 TIMEOUT']);
    expect(job.programs.ledger.usage).toHaveLength(CODES.length);
    expect(JSON.stringify(Object.fromEntries(job.output.files))).not.toContain('cpu_ms');
  });
});

describe('a job on a machine that can start no sandbox', () => {
  it('fails its programs, and goes on', async () => {
    const job = await runJob(['1 + 1', '2 + 2'], {
      spawn: (_command, _args, options) => spawnProcess('/bin/false', [], options),
    });
    expect(job.result).toMatchObject({ status: 'completed', counts: { failed: 2 } });
    const report = fileOf(job, 'phase21/report.md');
    expect(report).toContain('SANDBOX_START_FAILED');
    expect(report).not.toContain('Code in the sandbox');
    await job.close();
  });
});

describe('a program that waits for a person', () => {
  it('stands in the report as waiting, and as what it became once somebody agreed', async () => {
    const asked = new Set<string>();
    const done: string[] = [];
    const sign = markGoverned(
      defineTool({
        name: 'contracts.sign',
        description: 'Signs.',
        tier: 3,
        input: z.strictObject({ name: z.string() }),
        output: z.string(),
        execute: ({ name }, { idempotencyKey }) => {
          if (!asked.has(idempotencyKey)) {
            asked.add(idempotencyKey);
            throw new ApprovalRequiredError('contracts.sign', `approval-${name}`);
          }
          done.push(name);
          return `signed by ${name}`;
        },
      }),
    );
    const code =
      "try { fetch('x') } catch {} const drawn = Math.random(); [await tools.contracts.sign({ name: 'grace' }), drawn]";
    const job = await runJob([code], { tools: [sign] });
    expect(job.result).toMatchObject({
      status: 'waiting',
      waiting: [{ taskId: 'p0', approvalId: 'approval-grace' }],
    });
    expect(fileOf(job, 'phase21/report.md')).toContain('| waiting for a person | 1 |');
    expect(done).toEqual([]);

    expect(await job.decide('p0')).toMatchObject({ status: 'completed', counts: { completed: 1 } });
    expect(done).toEqual(['grace']);
    const report = fileOf(job, 'phase21/report.md');
    expect(report).toContain('| with a value | 1 |');
    expect(report).not.toContain('waiting for a person | 1');
    expect(recordsOf(fileOf(job, 'phase21/violations.jsonl'))).toHaveLength(1);
    expect(job.programs.ledger.counts).toMatchObject({ violations: 1 });
    await job.close();
  });
});
