import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { type Actor, defineTool, systemClock, toolContext } from '@buddy/core';
import {
  appendCheckpointsTo,
  createGovernance,
  type Governance,
  type GovernancePorts,
} from '@buddy/governance';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const BIN = fileURLToPath(new URL('../src/bin/buddy-governance.ts', import.meta.url));
const ADA: Actor = { kind: 'agent', id: 'ada' };
const POLICY = `version: 1
rules:
  - { id: writes, when: { action: crm.update }, tier: 2, allow: true }
  - { id: mail, when: { action: mail.send }, tier: 3, approve: { from: [operator], expires: 30m } }
tests:
  - { name: nobody deletes, given: { action: crm.delete, tier: 2 }, expect: block }
`;

let folder: string;
let open: Governance[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bin-'));
  await writeFile(join(folder, 'policy.yaml'), POLICY);
  open = [];
});
afterEach(async () => {
  for (const governance of open) await governance.close();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** The program as a shell starts it, in the folder where the files are. */
async function run(line: string): Promise<Ended> {
  const given = line === '' ? [] : line.split(' ');
  const child = spawn(process.execPath, ['--conditions=@buddy/source', BIN, ...given], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, out, err };
}

async function openService(ports: GovernancePorts = {}): Promise<Governance> {
  const governance = await createGovernance(
    {
      policy: join(folder, 'policy.yaml'),
      database: join(folder, 'governance.db'),
      followPolicy: false,
    },
    ports,
  );
  open.push(governance);
  return governance;
}

function governed(governance: Governance, name: string, tier: 2 | 3) {
  const calls: unknown[] = [];
  const tool = governance.govern(
    defineTool({
      name,
      description: 'Does it.',
      tier,
      input: z.object({ to: z.string() }),
      output: z.string(),
      execute: (input) => {
        calls.push(input);
        return 'done';
      },
    }),
  );
  const call = (to = 'grace@example.com') =>
    tool.execute(
      { to },
      toolContext({ actor: ADA, rationale: 'asked by the plan', idempotencyKey: 'key-1' }),
    );
  return { call, calls };
}

const Waiting = z.object({ approvalId: z.string() });
const idOf = async (call: Promise<unknown>): Promise<string> =>
  Waiting.parse(await call.catch((error: unknown) => error)).approvalId;

const MISTAKES = [
  ['', 'Usage: buddy-governance'],
  ['polcy check', 'Did you mean "policy check"?'],
  ['policy check', 'FILE is missing.'],
  ['policy check a.yaml b.yaml', '"b.yaml" is more than there is use for.'],
  ['policy check none.yaml', 'none.yaml cannot be read: ENOENT'],
  ['policy replay policy.yaml --sine 30d', 'Did you mean --since?'],
  ['policy replay policy.yaml --since monday', '--since: must be like 30d'],
  ['policy explain policy.yaml x --args {', '--args: must be JSON'],
  ['audit prove', 'Give either --seq or --since.'],
  ['audit verify --database none.db', 'none.db'],
  ['approvals list --database none.db', 'There is no database at none.db'],
  ['approvals list --role boss', '--role: '],
  ['approvals approve', 'ID is missing; or give --all-matching --action GLOB.'],
  ['approvals approve a-1 --yes', 'go with --all-matching'],
  ['approvals deny a-1 --all-matching --action x', 'Give either ID or --all-matching, not both.'],
  ['approvals deny --all-matching --yes', '--all-matching needs --action GLOB.'],
] as const;

describe('buddy-governance', () => {
  it('explains itself, and what it did not understand', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('approvals approve [ID]');
    expect(help.out).toContain('Exit codes:');
    const group = await run('audit --help');
    expect(group).toMatchObject({ code: 0 });
    expect(group.out).not.toContain('policy check');
    const one = await run('approvals approve --help');
    expect(one.code).toBe(0);
    expect(one.out).toContain('--role ROLE');
    expect(one.out).toContain('whoever can write the database');
  });

  it('ends with 2 for what it did not understand, and says what to do', async () => {
    const ended = await Promise.all(
      MISTAKES.map(async ([line]) => [line, await run(line)] as const),
    );
    expect(ended).toEqual(
      MISTAKES.map(([line, problem]) => [
        line,
        { code: 2, out: '', err: expect.stringContaining(problem) },
      ]),
    );
  });

  it('tells programs what went wrong as JSON', async () => {
    const { code, out } = await run('policy check none.yaml --json');
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      error: { code: 'GOVERNANCE_FILE_UNREADABLE' },
    });
  });
});

describe('buddy-governance policy', () => {
  it('checks, tries the examples and explains', async () => {
    const checked = await run('policy check policy.yaml');
    expect(checked).toMatchObject({
      code: 0,
      out: expect.stringContaining('policy.yaml is good: 2 rules'),
    });
    const tested = await run('policy test policy.yaml --json');
    expect(JSON.parse(tested.out)).toMatchObject({
      ok: true,
      tests: [{ name: 'nobody deletes', isPassed: true }],
    });
    const explained = await run(
      'policy explain policy.yaml mail.send --tier 3 --actor agent:crm-7 --args {"to":"ada"}',
    );
    expect(explained.code).toBe(0);
    expect(explained.out).toMatch(/^APPROVE .*tier 3/);
  });

  it('ends with 1 for a policy that is not good, with line and column', async () => {
    await writeFile(join(folder, 'bad.yaml'), POLICY.replace('tier: 2', 'teir: 2'));
    const { code, out } = await run('policy check bad.yaml');
    expect(code).toBe(1);
    expect(out).toMatch(/bad\.yaml:3:\d+.*teir.*tier/s);
  });

  it('says which decisions of the past a new policy would change, and does nothing to the terminal', async () => {
    const service = await openService();
    await governed(service, 'crm.update', 2).call();
    await service.govern(async () => 'done', {
      name: 'crm.update',
      actor: { kind: 'agent', id: 'eve\u001B[2J\u202E' },
      rationale: 'asked by the test',
    })();
    await idOf(governed(service, 'mail.send', 3).call());
    await writeFile(
      join(folder, 'new.yaml'),
      POLICY.replace('tier: 2, allow: true', 'tier: 2, block: true'),
    );
    const changed = await run('policy replay new.yaml --since 1h');
    expect(changed.code).toBe(1);
    expect(changed.out).toContain('3 decisions: 2 would change, 1 would not.');
    expect(changed.out).toContain('eve⟦U+001B⟧[2J⟦U+202E⟧');
    expect(changed.out).not.toContain('\u001B');
    const same = await run('policy replay policy.yaml --database governance.db');
    expect(same).toMatchObject({
      code: 0,
      out: expect.stringContaining('0 would change'),
    });
  });
});

/** As somebody would who may write the file. */
function changeLog(file: string): void {
  const database = new DatabaseSync(file);
  for (const { name } of database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`)
    .all()) {
    database.exec(`DROP TRIGGER "${String(name)}"`);
  }
  database.exec(`UPDATE audit_entries SET record = replace(record, 'crm.update', 'crm.delete')`);
  database.close();
}

describe('buddy-governance audit', () => {
  it('verifies, proves and exports the log of a service that has it open', async () => {
    const outside = join(folder, 'outside.jsonl');
    const service = await openService({ publish: appendCheckpointsTo(outside, systemClock) });
    await governed(service, 'crm.update', 2).call();
    await service.ledger.checkpoint();
    const { verifierKey } = service.ledger;
    const verified = await run(`audit verify --key ${verifierKey} --checkpoints outside.jsonl`);
    expect(verified).toMatchObject({ code: 0, out: expect.stringMatching(/^Intact: 3 entries/) });
    const proof = await run('audit prove --seq 1');
    expect(proof).toMatchObject({ code: 0, out: service.audit.proveInclusion(1) });
    const exported = await run('audit export --from 1');
    expect(exported).toMatchObject({
      code: 0,
      out: `${service.audit.record(1)}\n${service.audit.record(2)}\n`,
      err: '2 entries exported.\n',
    });
  });

  it('ends with 1 when somebody has changed the log', async () => {
    const service = await openService();
    await governed(service, 'crm.update', 2).call();
    const { verifierKey } = service.ledger;
    await service.close();
    changeLog(join(folder, 'governance.db'));
    const { code, out } = await run(`audit verify --key ${verifierKey} --json`);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ isIntact: false });
  });
});

async function askedOf(service: Governance, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const tool = service.govern(async (_to: string) => 'sent', {
      rationale: 'asked by the test',
      actor: ADA,
      name: 'mail.send',
      tier: 3,
    });
    ids.push(await idOf(tool(`person-${n}`)));
  }
  return ids;
}

describe('buddy-governance card', () => {
  it('shows what waits, what was denied, the tiers and the last decisions', async () => {
    const service = await openService();
    await askedOf(service, 1);
    await governed(service, 'crm.update', 2).call();
    await governed(service, 'crm.delete', 2)
      .call()
      .catch(() => undefined);
    const { code, out } = await run('card');
    expect(code).toBe(0);
    expect(out).toContain('waiting     1 for a person\ndenied      1 within 24 hours\n');
    expect(out).toContain('0 of tier 1, 2 of tier 2, 1 of tier 3, 0 of tier 4');
    expect(out).toMatch(/ {2}deny {5}crm\.delete {2}tier 2 {2}agent ada/);
    const json = JSON.parse((await run('card --json')).out);
    expect(json).toMatchObject({
      pending_approvals: 1,
      violations_24h: 1,
      tiers: { 1: 0, 2: 2, 3: 1, 4: 0 },
      decisions: [{ decision: 'deny' }, { decision: 'allow' }, { decision: 'approve' }],
    });
    expect(await run('card --database none.db')).toMatchObject({ code: 2 });
  });
});

describe('buddy-governance approvals', () => {
  it('shows what waits for a person', async () => {
    const service = await openService();
    expect((await run('approvals list')).out).toBe('Nothing waits for a decision.\n');
    const id = await idOf(governed(service, 'mail.send', 3).call());
    const { code, out } = await run('approvals list --as olga');
    expect(code).toBe(0);
    expect(out).toContain(`${id}  pending  mail.send  tier 3`);
    expect(out).toContain('grace@example.com');
    const viewer = await run('approvals list --as vera --role viewer');
    expect(viewer.out).not.toContain('grace@example.com');
  });

  it('approves in another process while the service waits, which then acts once', async () => {
    const service = await openService({ approvals: { pollMs: 20 } });
    const { call, calls } = governed(service, 'mail.send', 3);
    const id = await idOf(call());
    const waited = service.approvals.waitFor(id);
    const approved = await run(`approvals approve ${id} --as olga --comment fine`);
    expect(approved).toMatchObject({ code: 0, out: `mail.send (${id}) is approved.\n` });
    expect(await waited).toMatchObject({ state: 'approved', via: 'cli' });
    expect(await call()).toBe('done');
    expect(await idOf(call())).not.toBe(id);
    expect(calls).toHaveLength(1);
    const votes = service.audit.query({ actor: 'olga' }).entries;
    expect(votes.map((entry) => entry.kind === 'approval' && [entry.event, entry.via])).toEqual([
      ['approved', 'cli'],
      ['voted', 'cli'],
    ]);
  });

  it('denies, and ends with 1 when a vote is refused', async () => {
    const service = await openService();
    const { call, calls } = governed(service, 'mail.send', 3);
    const id = await idOf(call());
    expect(await run(`approvals approve ${id} --as ada`)).toMatchObject({ code: 1 });
    expect(await run(`approvals approve ${id} --as uma --role user`)).toMatchObject({
      code: 1,
    });
    expect(await run(`approvals deny ${id} --as olga`)).toMatchObject({ code: 0 });
    await expect(call()).rejects.toMatchObject({
      code: 'CORE_TOOL_DENIED',
      decision: { reasonCode: 'APPROVAL_DENIED' },
    });
    expect(calls).toEqual([]);
    const late = await run(`approvals approve ${id} --as olga --json`);
    expect(late.code).toBe(1);
    expect(JSON.parse(late.out)).toMatchObject({ ok: false, code: expect.any(String) });
    expect(await run('approvals approve approval-9')).toMatchObject({ code: 2 });
  });

  it('does not know who owns an agent, but the service that acts does', async () => {
    const service = await openService({ people: { ownersOf: () => ['olga'] } });
    const { call, calls } = governed(service, 'mail.send', 3);
    const id = await idOf(call());
    expect(await run(`approvals approve ${id} --as olga`)).toMatchObject({ code: 0 });
    const next = await idOf(call());
    expect(next).not.toBe(id);
    expect(calls).toEqual([]);
    expect(service.approvals.get(id)).toMatchObject({ state: 'invalidated' });
  });

  it('approves and denies all that fits by a vote each, after it has said what', async () => {
    const service = await openService();
    const asked = await askedOf(service, 5);
    expect((await run('approvals list --group --action mail.*')).out).toMatch(
      /^ {2}5 {2}mail\.send {2}tier 3 {2}agent ada {2}rule mail {2}first expires 20/,
    );
    const before = await run('approvals approve --all-matching --action mail.** --as olga');
    expect(before.code).toBe(1);
    expect(before.out).toContain('Yes would be said to 5 requests');
    expect(before.out).toContain('Nothing was done; add --yes');
    expect(service.approvals.list({ states: ['pending'] }).approvals).toHaveLength(5);
    const some =
      'approvals approve --all-matching --action mail.send --agent ada --limit 2 --as olga --yes';
    expect(await run(some)).toMatchObject({ code: 0, out: expect.stringContaining('2 approved') });
    expect(asked.map((id) => service.approvals.get(id)?.state)).toEqual([
      'approved',
      'approved',
      'pending',
      'pending',
      'pending',
    ]);
    const others =
      'approvals deny --all-matching --action mail.send --as olga --comment no --yes --json';
    expect(JSON.parse((await run(others)).out)).toMatchObject({ ok: true, states: { denied: 3 } });
    const votes = service.audit.query({ actor: 'olga' }).entries;
    const told = votes.map((entry) => entry.kind === 'approval' && `${entry.event} ${entry.via}`);
    expect(told.filter((word) => word === 'voted cli')).toHaveLength(5);
    expect(await run('approvals approve --all-matching --action mail.send --yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing that fits waits'),
    });
  });

  it('leaves alone what the person has no say in', async () => {
    const service = await openService();
    await askedOf(service, 2);
    const own = await run('approvals approve --all-matching --action mail.* --as ada --yes --json');
    expect(JSON.parse(own.out)).toEqual({ ok: true, matched: 0, not_votable: 2 });
    const user = await run(
      'approvals approve --all-matching --action mail.* --as u --role user --yes',
    );
    expect(user.out).toContain('Nothing that fits waits');
    expect(service.approvals.list({ states: ['pending'] }).approvals).toHaveLength(2);
  });

  it('can do nothing without the key', async () => {
    const service = await openService();
    const id = await idOf(governed(service, 'mail.send', 3).call());
    await service.close();
    await rm(join(folder, 'governance.db.key'));
    const { code, err } = await run(`approvals approve ${id}`);
    expect(code).toBe(2);
    expect(err).toContain('bring that file back');
    await expect(readFile(join(folder, 'governance.db.key'))).rejects.toThrow('ENOENT');
  });
});
