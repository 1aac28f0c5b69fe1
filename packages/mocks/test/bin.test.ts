import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../src/bin/command-line.ts';

vi.setConfig({ testTimeout: 60_000 }); // processes start, on a machine that may be busy

const BIN = fileURLToPath(new URL('../src/bin/buddy-mocks.ts', import.meta.url));
const SOURCES = ['--conditions=@buddy/source'];

const children: ChildProcess[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [...SOURCES, BIN, ...args], { stdio: 'pipe' });
  children.push(child);
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString()));
  const ended = once(child, 'exit').then(([code]): unknown => code);
  return { child, output, ended };
}

/** The same in this process, where no server is to stay. */
async function run(...args: string[]) {
  const output = { out: '', err: '' };
  const code = await runCommandLine(args, {
    out: (text) => (output.out += text),
    err: (text) => (output.err += text),
    untilToldToStop: () => Promise.resolve(),
  });
  return { code, ...output };
}

/** Starts to serve, and reads what `--print-env` prints. */
async function serve(...args: string[]) {
  const { child, output, ended } = start('serve', '--print-env', ...args);
  while (!output.out.includes('BUDDY_MOCKS_TOKEN')) await once(child.stdout ?? child, 'data');
  const env = Object.fromEntries(
    [...output.out.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  return { child, output, ended, env };
}

async function fileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-mocks-test-'));
  folders.push(folder);
  await writeFile(join(folder, 'faults.json'), text);
  return join(folder, 'faults.json');
}

function failing(operation: string) {
  return { match: { operation }, kind: 'status', status: 503, when: { rate: 1 } };
}

const GHL = { version: '2021-07-28', authorization: 'Bearer pit-buddy-mocks' };

describe('buddy-mocks', () => {
  it('explains itself', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    expect(out).toContain('buddy-mocks serve [options]');
  });

  it('serves the three, points clients at them, and ends when told to', async () => {
    const { env, child, ended, output } = await serve('--contacts', '3', '--latency', 'none');
    expect(env).toMatchObject({
      DRY_RUN: 'false',
      BUDDY_MOCKS_TOKEN: expect.stringMatching(/.{32}/),
    });
    const address = `${env['GOHIGHLEVEL_BASE_URL']}/contacts/?locationId=${env['GOHIGHLEVEL_LOCATION_ID']}`;
    const listed: unknown = await (await fetch(address, { headers: GHL })).json();
    expect(listed).toMatchObject({ contacts: [{}, {}, {}] });
    const overview = await fetch(`${env['BUDDY_MOCKS_URL']}`, {
      headers: { authorization: `Bearer ${env['BUDDY_MOCKS_TOKEN']}` },
    });
    expect(await overview.json()).toMatchObject({
      gohighlevel: { calls: 1 },
      msgraph: { calls: 0 },
    });
    expect(output.err.trim().split('\n')).toEqual([
      expect.stringContaining('nothing behind them is real'),
    ]);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('lets a client in another process reach all three over HTTPS with what it printed', async () => {
    const { env } = await serve('--latency', 'none');
    const program = `
      import { getGoHighLevelClient, getGraphMailClient, getMployerClient } from '@buddy/mocks';
      const crm = await getGoHighLevelClient().testConnection();
      const mail = await getGraphMailClient().testConnection();
      const mployer = getMployerClient();
      await mployer.login('ada@example.com', 'secret');
      console.log(JSON.stringify({ crm, mail, found: (await mployer.searchContacts({ state: 'CA' })).results.length }));
    `;
    const child = spawn(process.execPath, [...SOURCES, '--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, ...env },
    });
    children.push(child);
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(JSON.parse(out)).toMatchObject({
      crm: {},
      mail: { account: 'buddy@example.com' },
      found: 9,
    });
  });

  it('takes its faults from a file or a profile, and its time from a virtual clock', async () => {
    const file = await fileWith(
      JSON.stringify([
        {
          match: { provider: 'gohighlevel', operation: '*' },
          kind: 'latency',
          addMs: 3_600_000,
          when: { nth: 1 },
        },
      ]),
    );
    const { env } = await serve('--faults', file, '--clock', 'virtual', '--token', 'my-token');
    const clock = async () => {
      const response = await fetch(`${env['BUDDY_MOCKS_URL']}/clock`, {
        headers: { authorization: 'Bearer my-token' },
      });
      return String(Object(await response.json()).now);
    };
    const before = Date.parse(await clock());
    const response = await fetch(`${env['GOHIGHLEVEL_BASE_URL']}/health`, { headers: GHL });
    expect(response.status).toBe(200);
    const address = `${env['GOHIGHLEVEL_BASE_URL']}/contacts/?locationId=${env['GOHIGHLEVEL_LOCATION_ID']}`;
    await fetch(address, { headers: GHL });
    expect(Date.parse(await clock()) - before).toBeGreaterThanOrEqual(3_600_000);
  });

  it('says where everything is when it is not asked for exports', async () => {
    const { code, out, err } = await run('serve', '--token', 'my-token');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^gohighlevel {2}http:[^ ]+ {2}https:[^]*^msgraph [^]*^mployer [^]*^trust {8}NODE_EXTRA/m,
    );
    expect(out).toContain('/__buddy  Authorization: Bearer my-token');
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it.each([
    [['--faults', 'hurricane'], 'hurricane is no file that can be read, and none of none, seed'],
    [['--port', 'x'], '--port must be a whole number'],
    [['--latency', 'some'], '--latency must be typical or none'],
    [['--contacts', '50001'], '--contacts must be at most 50000'],
    [['--prot', '1'], "Unknown option '--prot'"],
    [['twice'], 'The only command is serve, not "serve twice"'],
  ])('refuses serve %j', async (args, complaint) => {
    const { code, out, err } = await run('serve', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(complaint);
  });

  it.each([
    ['[{', 'is not JSON'],
    [
      '[{"match":{"operation":"*"},"kind":"boom","when":{"rate":1}}]',
      'kind: must be one of status',
    ],
    [
      '[{"match":{"operation":"contacts.burn","provider":"gohighlevel"},"kind":"reset","when":{"rate":1}}]',
      'fits no operation of gohighlevel',
    ],
  ])('refuses a file of faults that holds %s', async (text, complaint) => {
    const { code, err } = await run('serve', '--faults', await fileWith(text));
    expect(code).toBe(2);
    expect(err).toContain(complaint);
  });

  it('takes a rule that names no provider when any of the three has its operation', async () => {
    const file = await fileWith(JSON.stringify([failing('mail.send'), failing('session.*')]));
    const { env } = await serve('--faults', file, '--latency', 'none');
    const faults = await fetch(`${env['BUDDY_MOCKS_URL']}/faults`, {
      headers: { authorization: `Bearer ${env['BUDDY_MOCKS_TOKEN']}` },
    });
    expect(await faults.json()).toEqual({
      gohighlevel: [],
      msgraph: [failing('mail.send')],
      mployer: [failing('session.*')],
    });
    const nobodys = await fileWith(JSON.stringify([failing('contacts.burn')]));
    const { code, err } = await run('serve', '--faults', nobodys);
    expect([code, err]).toEqual([2, expect.stringContaining('fits no operation of')]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends with 0 and leaves no file behind at %s',
    async (signal) => {
      const { env, child, ended } = await serve('--latency', 'none');
      await stat(env['NODE_EXTRA_CA_CERTS'] ?? '');
      child.kill(signal);
      expect(await ended).toBe(0);
      await expect(stat(env['NODE_EXTRA_CA_CERTS'] ?? '')).rejects.toThrow('ENOENT');
    },
  );

  it('ends with 1 when its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = String(typeof address === 'object' ? address?.port : address);
    const { code, err } = await run('serve', '--port', port);
    server.close();
    expect(code).toBe(1);
    expect(err).toContain(`Port ${port} cannot be listened on`);
  });

  it('serves one mock alone at its port, over plain HTTP, and tells whoever asks that it is there', async () => {
    const { env } = await serve('--only', 'mployer', '--plain', '--latency', 'none');
    expect(Object.keys(env)).toEqual([
      'DRY_RUN',
      'MPLOYER_BASE_URL',
      'BUDDY_MOCKS_URL',
      'BUDDY_MOCKS_TOKEN',
    ]);
    expect(env['MPLOYER_BASE_URL']).toMatch(/^http:/);
    expect((await fetch(`${env['BUDDY_MOCKS_URL']}/health`)).status).toBe(204);
    expect((await fetch(`${env['BUDDY_MOCKS_URL']}`)).status).toBe(401);
  });

  it('reads its options from a file, and ends with 78 when that is missing or wrong', async () => {
    const options = { only: 'gohighlevel', plain: true, contacts: 2, latency: 'none', speed: 20 };
    const file = await fileWith(JSON.stringify(options));
    const { env } = await serve('--config', file, '--contacts', '3');
    const address = `${env['GOHIGHLEVEL_BASE_URL']}/contacts/?locationId=${env['GOHIGHLEVEL_LOCATION_ID']}`;
    const listed: unknown = await (await fetch(address, { headers: GHL })).json();
    expect(listed).toMatchObject({ contacts: [{}, {}, {}] }); // the command line wins
    expect(await run('serve', '--config', `${file}.gone`)).toMatchObject({ code: 78 });
    for (const text of [
      '{',
      '[]',
      '{"speed": 0}',
      '{"port": {}}',
      '{"prot": 1}',
      '{"config": "a"}',
    ]) {
      const { code, err } = await run('serve', '--config', await fileWith(text));
      expect([text, code, err]).toEqual([text, 78, expect.stringContaining('--config')]);
    }
  });

  it('lets in by a file that may change while it serves', async () => {
    const file = await fileWith('["pit-1", "graph-1"]');
    const { env } = await serve('--admit', file, '--plain', '--latency', 'none');
    const status = async (token: string) => {
      const address = `${env['GOHIGHLEVEL_BASE_URL']}/contacts/?locationId=${env['GOHIGHLEVEL_LOCATION_ID']}`;
      const headers = { ...GHL, authorization: `Bearer ${token}` };
      const mail = await fetch(`${env['MSGRAPH_BASE_URL']}/me/messages`, { headers });
      return [(await fetch(address, { headers })).status, mail.status];
    };
    expect(await status('pit-1')).toEqual([200, 200]);
    expect(await status('pit-2')).toEqual([401, 401]);
    await writeFile(file, '["pit-2"]');
    expect(await status('pit-1')).toEqual([401, 401]);
    expect(await status('pit-2')).toEqual([200, 200]);
    await writeFile(file, '["pit-');
    expect(await status('pit-2')).toEqual([401, 401]); // who may come in is not known
  });

  it('does not begin without the file of those whom it lets in, and quotes no secret', async () => {
    const { code, err } = await run('serve', '--admit', await fileWith('["pit-secret"'));
    expect([code, err]).toEqual([2, expect.stringContaining('no JSON list of tokens')]);
    expect(err).not.toContain('pit-secret');
  });
});
