import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BotDefinitionInput,
  type BotExit,
  createBotRegistry,
  createSupervisor,
  createSystemProcesses,
  Readiness,
} from '@buddy/bots';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newToken } from '../process/trees.ts';
import { processesWith, until } from '../process/witness.ts';
import { bot, MemoryBots } from './memory-bots.ts';

type Deployment = BotDefinitionInput['deployment'];

const TEMPORARY = { kind: 'temporary' } as const;
const NODE = process.execPath;

function sh(script: string, more: Partial<Deployment> = {}): Deployment {
  return { command: 'sh', args: ['-c', script], restart: TEMPORARY, stopGraceMs: 500, ...more };
}

function node(script: string, more: Partial<Deployment> = {}): Deployment {
  return { command: NODE, args: ['-e', script], restart: TEMPORARY, stopGraceMs: 500, ...more };
}

function supervise(deployment: Deployment, environment = process.env) {
  const registry = new MemoryBots([bot('ada', deployment)]);
  const supervisor = createSupervisor({ registry }, { environment });
  onTestFinished(() => supervisor.close());
  const exits: (BotExit & { reason: string })[] = [];
  supervisor.events.on('botExited', ({ exit, reason }) => exits.push({ ...exit, reason }));
  const ended = async () => {
    await until(
      () => exits.length,
      (count) => count > 0,
    );
    return exits[0];
  };
  return { registry, supervisor, ended };
}

/** A port that nobody has just now. */
async function freePort(): Promise<number> {
  const { server, port } = await takenPort();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function takenPort(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bots-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const HOG = `const held = []; setInterval(() => held.push(Buffer.alloc(4 * 2 ** 20, 1)), 5);`;

describe('an exit is known for what it was', () => {
  it.each<[kind: string, deployment: Deployment, exit: object]>([
    ['finished', sh('exit 0'), { exitCode: 0, signal: null }],
    ['crash', sh('exit 3'), { exitCode: 3, signal: null, reason: 'exit code 3' }],
    ['signal', sh('kill -SEGV $$'), { exitCode: null, signal: 'SIGSEGV' }],
    ['configuration', sh('exit 78'), { reason: expect.stringContaining('EX_CONFIG') }],
    ['configuration', sh('no-such-program-here'), { exitCode: 127 }],
    ['configuration', { command: '/no/such/program' }, { exitCode: null, signal: null }],
    [
      'configuration',
      sh('exit 0', { cwd: '/no/such/folder' }),
      { reason: expect.stringContaining('its folder /no/such/folder does not exist') },
    ],
    [
      'configuration',
      { command: '/etc/passwd' },
      { reason: expect.stringContaining('it is no program that this user may run') },
    ],
    [
      'out_of_memory',
      node('const held = []; for (;;) held.push({ ...held });', {
        args: [
          '--max-old-space-size=12',
          '-e',
          'const held = []; for (;;) held.push([held.length]);',
        ],
      }),
      { signal: 'SIGABRT', reason: expect.stringContaining('heap out of memory') },
    ],
    [
      'not_ready',
      sh('exec sleep 60', { readiness: { kind: 'tcp', port: 1, timeoutMs: 100 } }),
      { signal: 'SIGTERM', reason: 'not ready within 100 ms: port 1: nobody listens' },
    ],
  ])('%s', async (kind, deployment, exit) => {
    const { supervisor, ended } = supervise(deployment);
    await supervisor.start('ada').catch(() => undefined); // some of them never are ready
    expect(await ended()).toMatchObject({ kind, ...exit });
  });

  it('requested', async () => {
    const { registry, supervisor, ended } = supervise(sh('exec sleep 60'));
    await supervisor.start('ada');
    await supervisor.stop('ada');
    expect(await ended()).toMatchObject({ kind: 'requested', signal: 'SIGTERM' });
    expect(registry.now('ada').status).toBe('stopped');
  });

  it('address_in_use', async () => {
    const { server, port } = await takenPort();
    const { supervisor, ended } = supervise(node(`require('net').createServer().listen(${port})`));
    await supervisor.start('ada').catch(() => undefined);
    expect(await ended()).toMatchObject({
      kind: 'address_in_use',
      reason: expect.stringContaining('EADDRINUSE'),
    });
    server.close();
  });

  it('not_alive', async () => {
    const port = await freePort();
    const { supervisor, registry, ended } = supervise(
      node(
        `let asked = 0; require('http').createServer((_, answer) => { answer.statusCode = ++asked > 3 ? 503 : 200; answer.end(); }).listen(${port})`,
        {
          readiness: { kind: 'http', port },
          liveness: { kind: 'http', port, everyMs: 30, failures: 2 },
        },
      ),
    );
    await supervisor.start('ada');
    expect(await ended()).toMatchObject({
      kind: 'not_alive',
      reason: `4 failures in a row: port ${port} answers 503 to GET /`,
    });
    expect(registry.moves).toContain('ada: running -> degraded');
  });

  it('limit_exceeded, for the memory of the whole tree, within duration, grace and a second', async () => {
    const durationMs = 400;
    const stopGraceMs = 300;
    const hog = `process.on('SIGTERM', () => 0); ${HOG}
      setInterval(() => process.memoryUsage.rss() > 120e6 && process.stdout.write('over\\n'), 5);`;
    const { supervisor, ended } = supervise(
      sh(`"$0" -e "$1" & wait`, {
        args: ['-c', `trap '' TERM; "$0" -e "$1" & wait; wait`, NODE, hog],
        limits: { maxRssBytes: 120e6, durationMs },
        stopGraceMs,
      }),
    );
    const breaches: object[] = [];
    supervisor.events.on('limitExceeded', (breach) => breaches.push(breach));
    let overAt: number | undefined;
    supervisor.events.on('lineLogged', ({ line }) => {
      if (line.text === 'over') overAt ??= performance.now();
    });
    await supervisor.start('ada');
    const exit = await ended();
    const tookMs = performance.now() - (overAt ?? 0);
    expect(exit).toMatchObject({ kind: 'limit_exceeded', signal: 'SIGKILL' });
    expect(breaches).toMatchObject([
      { limit: 'rss', maxRssBytes: 120e6, sample: { processes: 2, rssBytes: expect.any(Number) } },
    ]);
    expect(tookMs).toBeLessThanOrEqual(durationMs + stopGraceMs + 1_000);
  });

  it('limit_exceeded, for the processor', async () => {
    const { supervisor, ended } = supervise(
      sh('while :; do :; done', { limits: { maxCpuPercent: 5, durationMs: 300 } }),
    );
    await supervisor.start('ada');
    expect(await ended()).toMatchObject({ kind: 'limit_exceeded' });
  });

  it.runIf(canLimitMemory())('out_of_memory, by the kernel', async () => {
    const group = `${MEMORY_GROUPS}/buddy-bots-test-${process.pid}`;
    mkdirSync(group);
    writeFileSync(join(group, 'memory.limit_in_bytes'), String(64 * 2 ** 20));
    const { supervisor, ended } = supervise(
      sh('', {
        args: ['-c', `echo $$ > ${group}/cgroup.procs; exec "$0" -e "$1"`, NODE, HOG],
      }),
    );
    await supervisor.start('ada');
    expect(await ended()).toMatchObject({ kind: 'out_of_memory', signal: 'SIGKILL' });
    await until(
      () => removeIfEmpty(group),
      (isRemoved) => isRemoved,
    );
  });
});

describe('a real bot', () => {
  it.each<[kind: Readiness['kind'], script: (port: number) => string]>([
    ['started', () => `setInterval(() => 0, 1000)`],
    [
      'http',
      (port) =>
        `setTimeout(() => require('http').createServer((_, a) => a.end()).listen(${port}), 50)`,
    ],
    ['tcp', (port) => `setTimeout(() => require('net').createServer().listen(${port}, '::'), 50)`],
    ['line', () => `setInterval(() => console.log('I am ready now'), 50)`],
    ['message', () => `setInterval(() => process.send({ type: 'ready' }), 50)`],
  ])('is ready by %s', async (kind, script) => {
    const port = await freePort();
    const wanted = { kind, port, text: 'ready', timeoutMs: 20_000 };
    const fields = Object.entries(wanted).filter(([name]) => FIELDS[kind].includes(name));
    const readiness = Readiness.parse(Object.fromEntries(fields));
    const { supervisor, registry } = supervise(node(script(port), { readiness }));
    await supervisor.start('ada');
    expect(registry.now('ada').status).toBe('running');
  });

  it('sees no variable but those it names, its path and its mark', async () => {
    const environment = { PATH: process.env['PATH'], WANTED: 'yes', SECRET: 'no' };
    const { supervisor, registry, ended } = supervise(sh('env', { env: ['WANTED'] }), environment);
    await supervisor.start('ada');
    const mark = registry.now('ada').mark;
    await ended();
    const names = (await supervisor.logs('ada')).map(({ text }) => text.split('=')[0] ?? '');
    const own = ['_', 'OLDPWD', 'PWD', 'SHLVL']; // a shell's
    expect(new Set(names.filter((name) => !own.includes(name)))).toEqual(
      new Set(['BUDDY_BOT_MARK', 'PATH', 'WANTED']),
    );
    expect(mark).toMatch(/^bot-/);
  });

  it('is adopted after SIGKILL of its supervisor, with what it writes, when it is to outlive it', async () => {
    const folder = await newFolder();
    const file = join(folder, 'bots.json');
    const token = newToken(900);
    const registry = createBotRegistry({ file });
    const script = `i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "line $i of ${token}"; sleep 0.05; done`;
    await registry.create(bot('ada', sh(script, { restart: { kind: 'permanent' } })));
    const host = startHost(file, folder);
    await once(host.stdout ?? host, 'data');
    const [before] = processesWith(token);
    await until(
      () => readFile(join(folder, 'ada.log'), 'utf8').catch(() => ''),
      (text) => text.includes('line 1 of'),
    );
    const ended = once(host, 'exit');
    host.kill('SIGKILL');
    await ended;
    const supervisor = createSupervisor({ registry, orphans: 'leave', logs: { folder } });
    onTestFinished(() => supervisor.close());
    expect(await supervisor.open()).toEqual({ adopted: ['ada'], buried: [] });
    expect((await supervisor.identity('ada'))?.pid).toBe(before);
    await until(
      () => supervisor.logs('ada'),
      (lines) => lines.length > 2,
    );
    expect((await supervisor.status('ada')).status).toBe('running');
    process.kill(before ?? 0, 'SIGKILL'); // it is supervised again: it comes back
    await until(
      () => supervisor.identity('ada'),
      (identity) => identity !== undefined && identity.pid !== before,
    );
    await supervisor.close();
    expect(processesWith(token)).toEqual([]);
    expect((await registry.get('ada'))?.status).toBe('stopped');
    expect(await readFile(join(folder, 'ada.log'), 'utf8')).toContain('line 1 of');
  });

  it('is buried by the next supervisor, with what it left behind, when only that is still there', async () => {
    const folder = await newFolder();
    const file = join(folder, 'bots.json');
    const token = newToken(903);
    const registry = createBotRegistry({ file });
    const script = `setsid sleep ${token} & (setsid sleep ${token} &); exec sleep 1${token}`;
    await registry.create(bot('ada', sh(script)));
    const host = startHost(file, folder);
    await once(host.stdout ?? host, 'data');
    await until(
      () => processesWith(`sleep ${token}`),
      (found) => found.length === 2,
    );
    const ended = once(host, 'exit');
    host.kill('SIGKILL');
    await ended;
    const [leader = 0] = processesWith(`sleep 1${token}`);
    process.kill(leader, 'SIGKILL');
    await until(
      () => processesWith(`sleep 1${token}`),
      (found) => found.length === 0,
    );
    const supervisor = createSupervisor({ registry });
    onTestFinished(() => supervisor.close());
    const ends: (readonly number[])[] = [];
    supervisor.events.on('leftoversEnded', ({ pids }) => ends.push(pids));
    expect(await supervisor.open()).toEqual({ adopted: [], buried: ['ada'] });
    expect(processesWith(token)).toEqual([]);
    expect(ends).toEqual([[expect.any(Number), expect.any(Number)]]);
    expect(await registry.get('ada')).toMatchObject({ status: 'crashed' });
    expect(await registry.get('ada')).not.toHaveProperty('mark');
  });

  it('runs on when its supervisor is closed so, and is the next one’s to stop', async () => {
    const folder = await newFolder();
    const token = newToken(901);
    const registry = new MemoryBots([bot('ada', sh(`sleep ${token} & wait`))]);
    const options = { registry, orphans: 'leave', logs: { folder } } as const;
    const first = createSupervisor(options);
    await first.startAll();
    await first.close({ bots: 'leave' });
    expect(processesWith(token).length).toBeGreaterThan(0);
    const second = createSupervisor(options);
    expect(await second.open()).toMatchObject({ adopted: ['ada'] });
    await second.close();
    expect(processesWith(token)).toEqual([]);
  });

  it.runIf(spawnSync('perl', ['-e', '']).status === 0)(
    'is adopted though it has written over its environment, and is not started twice',
    async () => {
      const folder = await newFolder();
      const token = newToken(904);
      const wiped = `$0 = "wiped ${token} " . ("x" x 4000); $| = 1; print "ready\n"; sleep 60`;
      const readiness = { kind: 'line', text: 'ready' } as const;
      const deployment = { command: 'perl', args: ['-e', wiped], readiness, stopGraceMs: 300 };
      const registry = new MemoryBots([bot('ada', deployment)]);
      const options = { registry, orphans: 'leave', logs: { folder } } as const;
      const useCgroups = false;
      const first = createSupervisor(options, {
        processes: createSystemProcesses({ useCgroups }),
      });
      await first.startAll();
      const running = processesWith(token);
      expect(running).toHaveLength(1);
      await first.close({ bots: 'leave' });
      expect(readFileSync(`/proc/${running[0]}/environ`, 'latin1')).not.toContain('BUDDY_BOT_MARK');
      const second = createSupervisor(options, {
        processes: createSystemProcesses({ useCgroups }),
      });
      onTestFinished(() => second.close());
      expect(await second.open()).toEqual({ adopted: ['ada'], buried: [] });
      await second.startAll();
      expect(processesWith(token)).toEqual(running);
      await second.close();
      expect(processesWith(token)).toEqual([]);
    },
  );

  it('is found dead by the next supervisor when it ended with this one', async () => {
    const token = newToken(902);
    const registry = new MemoryBots([bot('ada', sh(`sleep ${token} & wait`))]);
    const processes = createSystemProcesses();
    const first = createSupervisor({ registry }, { processes });
    await first.startAll();
    await processes.close(); // as by our own death: the reaper ends what it was not told to forget
    expect(processesWith(token)).toEqual([]);
  });
});

const FIELDS: Readonly<Record<Readiness['kind'], readonly string[]>> = {
  started: ['kind'],
  http: ['kind', 'port', 'timeoutMs'],
  tcp: ['kind', 'port', 'timeoutMs'],
  line: ['kind', 'text', 'timeoutMs'],
  message: ['kind', 'timeoutMs'],
};

function startHost(...args: string[]): ChildProcess {
  const program = fileURLToPath(new URL('host.ts', import.meta.url));
  return spawn(NODE, ['--conditions=@buddy/source', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

const MEMORY_GROUPS = '/sys/fs/cgroup/memory';

function canLimitMemory(): boolean {
  try {
    accessSync(join(MEMORY_GROUPS, 'memory.limit_in_bytes'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function removeIfEmpty(group: string): boolean {
  try {
    if (existsSync(group)) rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
