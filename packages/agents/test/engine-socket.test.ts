import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import {
  type AskedEngine,
  connectEngine,
  createEngine,
  openEngineSocket,
  type Workflow,
} from '@buddy/agents';
import { connectLocally, receiveMessages, systemClock } from '@buddy/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-engine-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const HOUR_MS = 3_600_000;
const ask: Workflow = (ctx) => ctx.waitFor('verdict', { key: 'wait', timeoutMs: HOUR_MS });

/** An engine with a workflow `w` that waits, and its socket. */
async function opened(change: Partial<AskedEngine> = {}) {
  const runFolder = await newFolder();
  const engine = createEngine();
  engine.register({ workflows: { ask }, tools: [], lanes: {} });
  await engine.start('w', 'ask', null);
  const asked: AskedEngine = {
    signal: (...args) => engine.signal(...args),
    cancel: (...args) => engine.cancel(...args),
    list: () => engine.list(),
    ...change,
  };
  const socket = await openEngineSocket(asked, { runFolder });
  onTestFinished(async () => {
    await socket.close();
    await engine.close();
  });
  return { runFolder, engine, socket };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function asNobody(work: () => Promise<void>): Promise<void> {
  process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('the socket of an engine', () => {
  it('lets others list its workflows, signal one, and cancel one', async () => {
    const { runFolder, engine } = await opened();
    await engine.start('v', 'ask', null);
    const remote = await connectEngine(runFolder);
    expect(await all(remote.list())).toEqual(await all(engine.list()));
    await remote.signal('w', 'verdict', { isApproved: true }, { key: 'k' });
    await remote.signal('w', 'verdict', { isApproved: false }, { key: 'k' });
    expect(await engine.result('w')).toMatchObject({
      value: { kind: 'received', value: { isApproved: true } },
    });
    await remote.cancel('v', 'enough');
    expect(await engine.result('v')).toMatchObject({ value: { kind: 'cancelled' } });
    expect(await all(remote.list())).toContainEqual({
      id: 'v',
      workflow: 'ask',
      status: 'cancelled',
      cancelReason: 'enough',
    });
  });

  // Only root can become somebody else; for others this is skipped.
  it.runIf(process.getuid?.() === 0)('lets no other user in', async () => {
    const { runFolder, socket } = await opened();
    await chmod(runFolder, 0o755);
    await asNobody(() =>
      expect(connectLocally(socket.path)).rejects.toMatchObject({ code: 'EACCES' }),
    );
    await asNobody(() =>
      expect(connectEngine(runFolder)).rejects.toMatchObject({ code: 'AGENTS_ENGINE_UNREACHABLE' }),
    );
    await expect(connectEngine(runFolder)).resolves.toBeDefined();
  });

  it('hands on what the engine refuses, by its code: an unknown workflow, a full disk', async () => {
    const full = Object.assign(new Error('no room'), {
      code: 'AGENTS_JOURNAL_WRITE',
      retryable: true,
      effect: 'none',
    });
    const { runFolder } = await opened({ cancel: () => Promise.reject(full) });
    const remote = await connectEngine(runFolder);
    await expect(remote.signal('nobody', 'verdict', 1, { key: 'k' })).rejects.toMatchObject({
      code: 'AGENTS_ENGINE_REFUSED',
      remoteCode: 'AGENTS_ENGINE_MISUSE',
      message: 'No workflow has the id nobody',
    });
    await expect(remote.cancel('w', 'enough')).rejects.toMatchObject({
      remoteCode: 'AGENTS_JOURNAL_WRITE',
      retryable: true,
      effect: 'none',
    });
  });

  it('says what is wrong with a request, and serves the next one', async () => {
    const { runFolder, socket } = await opened();
    const raw = async (line: string) => {
      const connection = await connectLocally(socket.path);
      connection.write(`${line}\n`);
      return (await all(receiveMessages(connection)))[0];
    };
    const invalid = { kind: 'failed', code: 'CORE_INVALID_INPUT' };
    expect(await raw('{"command":"dance"}')).toMatchObject(invalid);
    expect(await raw('{"command":"signal","id":"w","topic":"verdict"}')).toMatchObject({
      ...invalid,
      message: expect.stringContaining('key'),
    });
    expect(await raw('{"command":"cancel","id":"w","reason":""}')).toMatchObject(invalid);
    expect(await raw('no JSON')).toBeUndefined();
    const remote = await connectEngine(runFolder);
    const tooLong = 'x'.repeat(17 * 1_024 * 1_024);
    await expect(remote.signal('w', 'verdict', tooLong, { key: 'k' })).rejects.toMatchObject({
      code: 'AGENTS_ENGINE_MISUSE',
    });
    expect(await all(remote.list())).toMatchObject([{ id: 'w', status: 'running' }]);
  });

  it('is for this user only, and tells where it is in the folder of the run', async () => {
    const { runFolder, socket } = await opened();
    const file = join(runFolder, 'state', 'engine.socket');
    expect(await readFile(file, 'utf8')).toBe(`${socket.path}\n`);
    for (const path of [file, socket.path]) expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(socket.path))).mode & 0o777).toBe(0o700);
    await socket.close();
    expect([existsSync(file), existsSync(socket.path)]).toEqual([false, false]);
    await expect(connectEngine(runFolder)).rejects.toMatchObject({
      code: 'AGENTS_ENGINE_UNREACHABLE',
      message: expect.stringContaining(`No engine works on the run in ${runFolder}`),
    });
  });

  it('is refused to a second engine of the same run, by whatever name of its folder', async () => {
    const { runFolder, engine, socket } = await opened();
    const link = `${runFolder}-link`;
    await symlink(runFolder, link);
    onTestFinished(() => rm(link));
    const taken = { code: 'AGENTS_ENGINE_SOCKET_TAKEN' };
    await expect(openEngineSocket(engine, { runFolder: link })).rejects.toMatchObject(taken);
    expect(await all((await connectEngine(link)).list())).toHaveLength(1);
    await socket.close();
    await (await openEngineSocket(engine, { runFolder: link })).close();
  });

  it('is not opened in a folder of sockets that others may enter', async () => {
    const temporary = await newFolder();
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    const shared = join(temporary, `buddy-agents-${userInfo().uid}`);
    await mkdir(shared);
    await chmod(shared, 0o777);
    const runFolder = await newFolder();
    await expect(openEngineSocket(createEngine(), { runFolder })).rejects.toMatchObject({
      code: 'CORE_SOCKET_FOLDER',
      folder: shared,
    });
    expect(existsSync(join(runFolder, 'state', 'engine.socket'))).toBe(false);
  });

  it("is not asked when the socket is another user's, nor where no engine said that it is", async () => {
    const { runFolder } = await opened();
    const file = join(runFolder, 'state', 'engine.socket');
    await writeFile(file, '/etc/passwd\n');
    const refused = { code: 'AGENTS_ENGINE_UNREACHABLE' };
    await expect(connectEngine(runFolder)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('was not written by an engine'),
    });
    if (process.getuid?.() !== 0) return; // only root can give a file away
    const foreign = join(runFolder, 'foreign.sock');
    const owner = spawn(
      process.execPath,
      [
        '--eval',
        `require('node:net').createServer().listen(${JSON.stringify(foreign)}, () => console.log('on'))`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void owner.kill('SIGKILL'));
    await once(owner.stdout, 'data');
    await chown(foreign, 65_534, 65_534);
    await writeFile(file, `${foreign}\n`);
    await expect(connectEngine(runFolder)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("another user's"),
    });
  });
});

/** What a process of `engine-host.ts` prints, line by line. */
function startHost(runFolder: string) {
  const program = join(import.meta.dirname, 'engine-host.ts');
  const host: ChildProcess = spawn(
    process.execPath,
    ['--conditions=@buddy/source', program, runFolder],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void host.kill('SIGKILL'));
  const output = host.stdout;
  if (!output) throw new Error('It prints nothing');
  const lines = createInterface({ input: output })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  return { host, next };
}

describe('an engine that says nothing', () => {
  it('is said to be silent, also when the time was over before all was sent', async () => {
    const { runFolder } = await opened();
    const clock = { ...systemClock, sleep: async () => undefined };
    const remote = await connectEngine(runFolder, { timeoutMs: 100 }, { clock });
    await expect(remote.signal('w', 'verdict', 'yes', { key: 'k' })).rejects.toMatchObject({
      code: 'AGENTS_ENGINE_LOST',
      message: expect.stringContaining('silent for 100 ms'),
    });
  });
});

describe('an engine in another process', () => {
  it('is told over its socket, and has kept what it acknowledged when it is killed at once', async () => {
    const runFolder = await newFolder();
    const first = startHost(runFolder);
    expect(await first.next()).toBe('open');
    const remote = await connectEngine(runFolder);
    const second = startHost(runFolder);
    expect(await second.next()).toBe('AGENTS_JOURNAL_OPEN'); // there is one owner
    await remote.signal('w', 'verdict', 'yes', { key: 'k' });
    const gone = once(first.host, 'exit');
    first.host.kill('SIGKILL');
    await gone;
    await expect(remote.signal('w', 'verdict', 'no', { key: 'k' })).rejects.toMatchObject({
      code: 'AGENTS_ENGINE_UNREACHABLE',
      message: expect.stringContaining('any more'),
      retryable: true,
    });
    const third = startHost(runFolder); // takes the place of the dead one's socket
    expect(await third.next()).toBe('open');
    expect(JSON.parse(await third.next())).toEqual({
      kind: 'completed',
      value: { kind: 'received', value: 'yes' },
    });
  });

  it('that stands still is given up after a while, and asked again when it goes on', async () => {
    const runFolder = await newFolder();
    const { host, next } = startHost(runFolder);
    expect(await next()).toBe('open');
    host.kill('SIGSTOP');
    const hasty = await connectEngine(runFolder, { timeoutMs: 100 });
    await expect(hasty.signal('w', 'note', 'hm', { key: 'n' })).rejects.toMatchObject({
      code: 'AGENTS_ENGINE_LOST',
      message: expect.stringContaining('silent for 100 ms'),
      effect: 'unknown',
    });
    host.kill('SIGCONT');
    const patient = await connectEngine(runFolder);
    await patient.signal('w', 'note', 'hm', { key: 'n' });
    await patient.signal('w', 'verdict', 'yes', { key: 'k' });
    expect(JSON.parse(await next())).toMatchObject({ value: { value: 'yes' } });
  });
});
