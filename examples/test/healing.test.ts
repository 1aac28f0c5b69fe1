import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '@buddy/core';
import { createGovernance, loadPolicy } from '@buddy/governance';
import { builtinPlaybooks, openSqliteStore } from '@buddy/guardian';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FAULT_KINDS, faultPlan, PROVIDERS } from '../healing/fault-plan.ts';
import { withGuardianRules } from '../healing/guarded-policy.ts';
import { DEFAULT_POLICY } from '../orchestrator/arguments.ts';
import { filesBelow, recordsOf, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

/** Some for each provider; their work takes long enough for things to break meanwhile. */
const TASKS = [
  { action: 'mployer.contacts.search', input: { state: 'CA' } },
  { action: 'gohighlevel.contacts.create', input: { email: 'ada@example.com' } },
  { action: 'msgraph.mail.search', input: { query: 'budget' } },
  { action: 'gohighlevel.contacts.find', input: { email: 'ada@example.com' } },
  { action: 'mployer.contacts.search', input: { state: 'NY' } },
  { action: 'msgraph.mail.search', input: { query: 'invoice' } },
].map((task, at) => ({ task_id: `t${at}`, predicted_success_probability: 0.9, ...task }));
const WORK_SECONDS = 20;
const PATIENT = { timeout: 60_000, interval: 100 };

async function writeInput(): Promise<string> {
  const folder = await folders.make();
  const input = join(folder, 'in');
  await mkdir(input);
  const lines = TASKS.map((task) => `${JSON.stringify(task)}\n`);
  await writeFile(join(input, 'predicted_tasks.jsonl'), lines.join(''));
  const truths = TASKS.map(({ task_id }) => ({
    task_id,
    difficulty: -9,
    is_bad_input: false,
    work_time: WORK_SECONDS,
  }));
  const text = truths.map((truth) => `${JSON.stringify(truth)}\n`).join('');
  await writeFile(join(folder, 'truth.jsonl'), text);
  return input;
}

const Printed = z.object({
  governance: z.object({ denied: z.int() }),
  healing: z.object({
    injected: z.int(),
    healed: z.int(),
    faults: z.array(
      z.object({
        kind: z.enum(FAULT_KINDS),
        target: z.string(),
        healedMs: z.number().nullable(),
        problem: z.string().nullable(),
        incidents: z.array(z.string()),
      }),
    ),
    incidents: z.record(z.string(), z.int()),
    mttr: z.object({ count: z.int(), p95Ms: z.number(), oldestOpenMs: z.number().nullable() }),
    playbooks: z.record(z.string(), z.object({ runs: z.int(), successes: z.int() })),
    ledger: z.object({
      symptoms: z.int(),
      outcomes: z.record(z.string(), z.int()),
      pending: z.int(),
    }),
    rehearsals: z.array(z.object({ playbook: z.string(), problem: z.string().nullable() })),
  }),
});

/** Processes that have the folder of a run in their command line or environment. */
async function processesOf(run: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [command, environment] = await Promise.all(
      ['cmdline', 'environ'].map((name) =>
        readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => ''),
      ),
    );
    if (`${command} ${environment}`.includes(run)) found.push(`${pid} ${command}`);
  }
  return found;
}

describe.skipIf(process.platform !== 'linux')('the main job, broken and healed', () => {
  it('heals every kind of fault while it works, says so, and leaves nothing behind', async () => {
    const input = await writeInput();
    const out = join(await folders.make(), 'run');
    const temporary = await folders.make();
    const options =
      `--wire --faults --fault-every 0 --approve-all-dev --json --agents 1 --input ${input} --out ${out}`.split(
        ' ',
      );
    const { code, stdout, stderr } = await runExample('orchestrator.ts', options, {
      environment: { TMPDIR: temporary },
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await processesOf(out)).toEqual([]);
    // A folder for this user's sockets may stay; what was in it does not.
    const leftOver = await readdir(temporary, { recursive: true, withFileTypes: true });
    expect(leftOver.filter((entry) => !entry.isDirectory()).map(({ name }) => name)).toEqual([]);

    const { healing, governance } = Printed.parse(JSON.parse(stdout));
    expect(healing.rehearsals.filter(({ problem }) => problem !== null)).toEqual([]);
    expect(new Set(healing.faults.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
    const store = openSqliteStore(join(out, 'state/healing/guardian.db'), { isReadOnly: true });
    const left = healing.faults.filter(({ incidents, problem, healedMs }) => {
      const closings = incidents.map((id) => store.incident(id)?.closedAs);
      return !closings.includes('restored') || problem !== null || healedMs === null;
    });
    expect(left).toEqual([]);
    expect(healing).toMatchObject({
      injected: healing.faults.length,
      healed: healing.faults.length,
    });
    expect(healing.mttr.oldestOpenMs).toBeNull();
    expect(healing.incidents).not.toHaveProperty('open');
    expect(healing.incidents).not.toHaveProperty('parked');
    const { symptoms, outcomes, pending } = healing.ledger;
    expect(Object.values(outcomes).reduce((a, b) => a + b, 0)).toBe(symptoms);
    expect(pending).toBe(0);
    expect(store.ledger()).toMatchObject({ symptoms, pending });
    await store.close();

    // The gate let each step through, and has it in its log.
    expect(governance.denied).toBe(0);
    await using gate = await createGovernance({
      policy: join(out, 'state/governance_policies.yaml'),
      database: join(out, 'state/governance.db'),
      followPolicy: false,
    });
    const { entries } = gate.audit.query({ kind: 'intent', limit: 500 });
    const actions = new Set(entries.map((entry) => ('action' in entry ? entry.action : '')));
    for (const step of [
      'guardian.service_crashed.respawn',
      'guardian.port_not_responding.end',
      'guardian.config_missing.restore',
      'guardian.config_invalid.restore',
      'guardian.credentials_invalid.next_version',
    ]) {
      expect(actions).toContain(step);
    }

    const report = await readFile(join(out, 'phase21/report.md'), 'utf8');
    const [, section = ''] = /## Healing\n(.*?)\n## /s.exec(report) ?? [];
    for (const kind of FAULT_KINDS) expect(section).toContain(`| \`${kind}\` |`);
    expect(section).toContain('mean of the last 10');
    const wire = /## Over the wire\n(.*?)\n## /s.exec(report)?.[1] ?? '';
    for (const name of PROVIDERS) expect(wire).toMatch(new RegExp(`\\| \`${name}\` \\| [1-9]`));
    const ended = [...(await filesBelow(join(out, 'phase21')))]
      .filter(([path]) => path.endsWith('outcomes.jsonl'))
      .flatMap(([, text]) => recordsOf(text));
    expect(ended.map(({ task_id: id }) => String(id)).toSorted()).toEqual(
      TASKS.map((t) => t.task_id),
    );
  });

  it('leaves no process behind when it is killed while its providers run', async () => {
    const input = await writeInput();
    const out = join(await folders.make(), 'run');
    const options = ['--wire', '--faults', '--fault-every', '0', '--input', input, '--out', out];
    const counted = join(out, 'state/healing/calls.json');
    let running = 0;
    const { code } = await runExample('orchestrator.ts', options, {
      onStart: async (child) => {
        await expect
          .poll(
            () =>
              access(counted).then(
                () => true,
                () => false,
              ),
            PATIENT,
          )
          .toBe(true);
        running = (await processesOf(out)).length;
        child.kill('SIGKILL');
      },
    });
    expect(code).toBeNull();
    expect(running).toBeGreaterThanOrEqual(5); // the job, three providers and the worker
    await expect.poll(() => processesOf(out), PATIENT).toEqual([]);
  });

  it('breaks nothing without --wire, or where the environment forbids it', async () => {
    const input = await writeInput();
    const out = join(await folders.make(), 'run');
    const options = ['--faults', '--input', input, '--out', out];
    const alone = await runExample('orchestrator.ts', options);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('add --wire')]);
    const environment = { BUDDY_FAULTS: '0' };
    const forbidden = await runExample('orchestrator.ts', ['--wire', ...options], { environment });
    expect([forbidden.code, forbidden.stderr]).toEqual([
      2,
      expect.stringContaining('BUDDY_FAULTS'),
    ]);
    await expect(readdir(out)).rejects.toThrow('ENOENT');
  });
});

function first(seed: number, count: number) {
  const plan = faultPlan(1_000, seededRandom(seed));
  return Array.from({ length: count }, () => plan.next().value);
}

describe('the plan of faults', () => {
  it('has each kind once in each round, and is the same for a seed', () => {
    const plan = first(7, 3 * FAULT_KINDS.length);
    for (let round = 0; round < 3; round += 1) {
      const kinds = plan.slice(round * FAULT_KINDS.length, (round + 1) * FAULT_KINDS.length);
      expect(kinds.map(({ kind }) => kind).toSorted()).toEqual([...FAULT_KINDS].toSorted());
    }
    expect(first(7, 21)).toEqual(plan);
    expect(first(8, 21)).not.toEqual(plan);
  });

  it('waits half to one and a half of the pause, and breaks every provider sooner or later', () => {
    const plan = first(1, 700);
    for (const { pauseMs } of plan) {
      expect(pauseMs).toBeGreaterThanOrEqual(500);
      expect(pauseMs).toBeLessThan(1_500);
    }
    const targets = new Set(plan.map(({ target }) => target));
    expect([...targets].toSorted()).toEqual([...PROVIDERS, 'recorder'].toSorted());
  });
});

describe('the policy of a healed run', () => {
  it('is the run’s own, comments and all, with the rules for the guardian', async () => {
    const text = await readFile(DEFAULT_POLICY, 'utf8');
    const both = withGuardianRules({ text }, builtinPlaybooks);
    expect(both.text).toContain('# What agents may do here.');
    const result = loadPolicy(both.text, { source: 'both' });
    expect(result).toMatchObject({ ok: true });
    expect(both.text).toContain('guardian.service_crashed.respawn');
    expect(both.digest).not.toBe(Object(loadPolicy(text, { source: 'own' })).policy.digest);
  });

  it('is refused when the two do not fit together', () => {
    const text =
      'version: 1\ndefaults: { unknown_action: block }\nrules:\n  - id: none\n    when: { action: guardian.** }\n    block: true\n';
    expect(() => withGuardianRules({ text }, builtinPlaybooks)).toThrow(
      expect.objectContaining({ code: 'GOVERNANCE_POLICY_NOT_LOADED' }),
    );
  });
});
