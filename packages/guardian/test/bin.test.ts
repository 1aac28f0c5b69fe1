import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@buddy/core';
import { builtinPlaybooks, createGuardian, openSqliteStore, policyFor } from '@buddy/guardian';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../src/bin/program.ts';
import { workbench } from './bin/workbench.ts';

const BIN = fileURLToPath(new URL('../src/bin/buddy-guardian.ts', import.meta.url));
const CONFIG = fileURLToPath(new URL('bin/guardian.config.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guardian-bin-'));
  await writeFile(join(folder, 'tool'), 'broken');
  vi.stubEnv('WORKBENCH', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** The program as a shell starts it, in the folder where the files are. */
async function start(...given: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--conditions=@buddy/source', BIN, ...given], {
    cwd: folder,
    env: { PATH: process.env['PATH'], WORKBENCH: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, out, err };
}

/** The same without a process of its own: starting one costs more than most commands. */
async function run(...given: readonly string[]): Promise<Ended> {
  let [out, err] = ['', ''];
  const code = await runProgram(given, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    clock: systemClock,
    folder,
  });
  return { code, out, err };
}

async function runJson(
  ...given: readonly string[]
): Promise<{ code: number | null; json: unknown }> {
  const { code, out } = await run(...given, '--json');
  return { code, json: JSON.parse(out) };
}

/** A guardian that has healed once; it goes on working. */
async function healOnce() {
  const { resources, playbooks = [], options = {} } = workbench(folder);
  const store = openSqliteStore(join(folder, 'guardian.db'));
  const guardian = createGuardian(options, { resources, playbooks, store });
  await guardian.start();
  const { outcome } = await guardian.report({
    resource: 'tools',
    signal: 'module.broken',
    certainty: 'decisive',
  });
  expect(await outcome).toBe('restored');
  expect(await readFile(join(folder, 'tool'), 'utf8')).toBe('whole');
  const [last] = store.runs(1);
  return { guardian, run: last?.id ?? '' };
}

describe('buddy-guardian', () => {
  it('explains itself, and what was misspelt', async () => {
    const [bare, help, of, command, option, operand] = await Promise.all([
      start(),
      start('--help'),
      run('rollback', '--help'),
      run('audti'),
      run('audit', '--jsn'),
      runJson('dry-run', 'mend_module'),
    ]);
    expect(bare).toMatchObject({ code: 2, out: '' });
    expect(bare.err).toContain('Usage: buddy-guardian');
    expect(help).toMatchObject({ code: 0, err: '' });
    for (const name of ['audit', 'probe', 'dry-run', 'rollback', 'stats', 'faults', 'policy'])
      expect(help.out).toContain(`\n  ${name} `);
    expect(help.out).toContain('Exit codes:');
    expect(of).toMatchObject({ code: 0, err: '' });
    expect(of.out).toContain('--show');
    expect(command).toMatchObject({ code: 2, out: '' });
    expect(command.err).toContain('Did you mean audit?');
    expect(option.err).toContain('Did you mean --json?');
    expect(operand).toMatchObject({ code: 2, json: { ok: false, error: { code: 'USAGE' } } });
  });

  it('says what is wrong with a config module, and what it has to be', async () => {
    const modules = {
      'syntax.mjs': 'export const resources = [',
      'throws.mjs': 'throw new Error("no database")',
      'empty.mjs': 'export const api = 1;',
      'misspelt.mjs': 'export const resourses = [], playbooks = [];',
      'shape.mjs': 'export default { resources: [{ id: "api", adapter: {} }], playbooks: [{}] };',
      'factory.mjs': 'export default async () => { throw new Error("no secret"); };',
    };
    for (const [name, text] of Object.entries(modules)) await writeFile(join(folder, name), text);
    const errors = await Promise.all(
      [...Object.keys(modules), 'nowhere.ts'].map(async (name) => {
        const { code, err } = await (name === 'syntax.mjs' ? start : run)(
          'audit',
          '--config',
          name,
        );
        return [name, code, err] as const;
      }),
    );
    expect(errors.map(([, code]) => code)).toEqual(errors.map(() => 2));
    const told = Object.fromEntries(errors.map(([name, , err]) => [name, err]));
    expect(told['syntax.mjs']).toMatch(/Unexpected end of input; `node --check .*syntax\.mjs`/);
    expect(told['throws.mjs']).toContain('no database');
    expect(told['empty.mjs']).toContain('exports api; it has to export resources, playbooks');
    expect(told['misspelt.mjs']).toContain('"resourses"');
    expect(told['shape.mjs']).toMatch(/`kind` and `probe`[^]*made by definePlaybook/);
    expect(told['factory.mjs']).toContain('no secret');
    expect(told['nowhere.ts']).toContain('There is no config module at');
    const { code, err } = await run('dry-run', 'mend_module', 'tools');
    expect(code).toBe(2);
    expect(err).toContain('put a guardian.config.ts into');
  });

  it('audits the built-in playbooks, and those of a config module on its resources', async () => {
    const [builtin, own] = await Promise.all([runJson('audit'), run('audit', '--config', CONFIG)]);
    expect(builtin).toMatchObject({ code: 0, json: { isGood: true } });
    expect(builtin.json).toMatchObject({
      playbooks: builtinPlaybooks.map(({ id, codeHash }) => ({ id, codeHash, isGood: true })),
    });
    expect(own).toMatchObject({ code: 0, err: '' });
    expect(own.out).toMatch(/mend_module +9 +2 +5 s +tools +tools +good/);
    expect(own.out).toMatch(/service_crashed +9 +3 +10 s +- +a stand-in +good/);
    expect(await readFile(join(folder, 'tool'), 'utf8')).toBe('broken');
  });

  it('says what a playbook would do, and does not do it', async () => {
    const [text, { code, json }, unarmed] = await Promise.all([
      run('dry-run', 'mend_module', 'tools', '--config', CONFIG),
      runJson('dry-run', 'mend_module', 'tools', '--config', CONFIG),
      runJson('dry-run', 'service_crashed', 'tools', '--config', CONFIG),
    ]);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(
      /mend +2 +would run +modules\.restore +Puts back what was there before\./,
    );
    expect(text.out).toContain('Nothing was done.');
    expect(code).toBe(0);
    expect(json).toMatchObject({
      plan: { playbook: 'mend_module', resource: 'tools', tier: 2 },
      calls: { mend: ['modules.restore'] },
      problems: {},
    });
    expect(unarmed).toMatchObject({ code: 2, json: { error: { code: 'GUARDIAN_MISUSE' } } });
    expect(await readFile(join(folder, 'tool'), 'utf8')).toBe('broken');
  });

  it('looks at the layers of a target', async () => {
    const server = createServer((_request, response) => response.end('well')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const alive = await runJson('probe', `http://127.0.0.1:${port}/`);
    server.close();
    await once(server, 'close');
    const dead = await run('probe', `127.0.0.1:${port}`);
    expect(alive.json).toMatchObject({
      layers: {
        3: { status: 'HEALTHY' },
        4: { status: 'HEALTHY' },
        5: { status: 'UNKNOWN' },
        6: { status: 'UNKNOWN', reason: 'disabled' },
        7: { status: 'HEALTHY' },
      },
    });
    expect(dead.code).toBe(1);
    expect(dead.out).toMatch(/4 +port 127\.0\.0\.1:\d+ +FAILED/);
  });

  it('says what was healed, from the file alone, while a guardian works on it', async () => {
    const { guardian, run: runId } = await healOnce();
    const file = join(folder, 'guardian.db');
    const before = await readFile(file);
    const [text, { code, json }] = await Promise.all([
      start('stats', '--store', 'guardian.db'),
      runJson('stats', '--config', CONFIG),
    ]);
    expect(text).toMatchObject({ code: 0, err: '' });
    expect(text.out).toContain('Runs: 1; helped: 1 (100 %).');
    expect(text.out).toContain('Symptoms: 1; restored 1; pending 0.');
    expect(code).toBe(0);
    expect(json).toMatchObject({
      totalRuns: 1,
      successRate: 1,
      lastRuns: [{ id: runId, playbook: 'mend_module', result: 'restored' }],
      playbookStats: { mend_module: { runs: 1, successes: 1 } },
      ledger: { symptoms: 1, pending: 0 },
      openIncidents: [],
    });
    expect(await readFile(file)).toEqual(before);
    const inProcess = guardian.stats();
    await guardian.stop();
    expect(json).toMatchObject(
      JSON.parse(JSON.stringify({ mttr: inProcess.mttr, lastRuns: inProcess.lastRuns })),
    );
    const after = await runJson('stats', '--store', 'guardian.db');
    expect(after).toMatchObject({ code: 0, json: { totalRuns: 1 } });
  });

  it('does not take another file for a store, and makes none', async () => {
    await writeFile(join(folder, 'empty.db'), '');
    await writeFile(
      join(folder, 'text.db'),
      'not a database, though it is long enough to look like one'.repeat(9),
    );
    const [missing, empty, text, unnamed] = await Promise.all([
      run('stats', '--store', 'missing.db'),
      run('stats', '--store', 'empty.db'),
      run('stats', '--store', 'text.db'),
      run('stats'),
    ]);
    expect(missing).toMatchObject({ code: 2, out: '' });
    expect(missing.err).toContain('There is no store at');
    expect(existsSync(join(folder, 'missing.db'))).toBe(false);
    expect(empty.err).toContain('This is not an incident file');
    expect(text).toMatchObject({ code: 2 });
    expect(unnamed.err).toContain('Which store?');
  });

  it('takes back a healing of the past', async () => {
    const { guardian, run: runId } = await healOnce();
    const meanwhile = await run('rollback', runId, '--config', CONFIG);
    expect(meanwhile.code).toBe(2);
    expect(meanwhile.err).toContain('stop it first');
    await guardian.stop();
    const shown = await run('rollback', runId, '--show', '--config', CONFIG);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toMatch(/mend +done +Puts back what was there before\.\nNothing was done/);
    expect(await readFile(join(folder, 'tool'), 'utf8')).toBe('whole');

    const { code, out } = await start('rollback', runId, '--config', CONFIG, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      run: runId,
      undone: 1,
      isWhole: true,
      steps: [{ step: 'mend', state: 'undone' }],
    });
    expect(await readFile(join(folder, 'tool'), 'utf8')).toBe('broken');

    const again = await runJson('rollback', runId, '--config', CONFIG);
    const unknown = await run('rollback', 'nix', '--config', CONFIG);
    expect(again).toMatchObject({ code: 0, json: { undone: 0, isWhole: true } });
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain('There is no run "nix"');
  });

  it('takes nothing back when a resource of the healing is not known, and says what could not be', async () => {
    const { guardian, run: runId } = await healOnce();
    await guardian.stop();
    await writeFile(join(folder, 'none.mjs'), 'export const resources = [];');
    const given = ['--store', 'guardian.db'];
    const none = await run('rollback', runId, '--config', 'none.mjs', ...given);
    expect(none.code).toBe(2);
    expect(none.err).toContain('on tools, which the config module does not have');

    const broken = `export const resources = [{ id: 'tools', adapter: {
      kind: 'modules', probe: async () => ({ status: 'HEALTHY' }),
      putBack: async () => { throw new Error('the shop is closed'); },
    } }];
    import { mendModule } from ${JSON.stringify(new URL('bin/workbench.ts', import.meta.url).href)};
    export const playbooks = [mendModule()];`;
    await writeFile(join(folder, 'broken.mjs'), broken);
    const failed = await run('rollback', runId, '--config', 'broken.mjs', ...given);
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('the shop is closed');
    expect(failed.out).toMatch(/mend +undo_failed/);
    expect(await readFile(join(folder, 'tool'), 'utf8')).toBe('whole');
  });

  it('takes back what a killed process left broken', async () => {
    const path = join(folder, 'config.json');
    await writeFile(path, '{}');
    const injector = fileURLToPath(new URL('children/fault-injector.ts', import.meta.url));
    const journal = join(folder, '.buddy-faults');
    const child = spawn(
      process.execPath,
      ['--conditions=@buddy/source', injector, journal, path, 'once'],
      { env: { BUDDY_FAULTS: '1' }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    const whileItLives = await runJson('faults', 'recover');
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    expect(whileItLives).toMatchObject({ code: 0, json: { faults: [{ is: 'active' }] } });
    expect(existsSync(path)).toBe(false);
    const recovered = await start('faults', 'recover');
    expect(recovered.code).toBe(0);
    expect(recovered.out).toMatch(/fileRemove +reverted/);
    expect(existsSync(path)).toBe(true);
    const [nothing, list] = await Promise.all([
      run('faults', 'recover'),
      runJson('faults', 'list'),
    ]);
    expect(nothing.out).toContain('Nothing is left to take back');
    expect(list.json).toContainEqual(
      expect.objectContaining({ kind: 'fileRemove', capability: { is: 'available' } }),
    );
  });

  it('prints the policy and the rollbacks of the playbooks', async () => {
    const { playbooks = [] } = workbench(folder);
    const [policy, rollbacks] = await Promise.all([
      run('policy', '--config', CONFIG),
      run('rollbacks', '--config', CONFIG),
    ]);
    expect(JSON.parse(policy.out)).toEqual(JSON.parse(JSON.stringify(policyFor(playbooks))));
    expect(rollbacks.out).toContain('## mend_module');
  });
});
