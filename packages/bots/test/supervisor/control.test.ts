import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  connectControl,
  createSupervisor,
  type LogLine,
  serveControl,
  socketPathFor,
} from '@buddy/bots';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeProcesses } from '../process/fake-processes.ts';
import { bot, MemoryBots } from './memory-bots.ts';

async function newRegistryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bots-control-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'bots.json');
}

async function served() {
  const registryFile = await newRegistryFile();
  const processes = new FakeProcesses();
  const registry = new MemoryBots([
    bot('ada', { command: 'run' }),
    bot('bob', { command: 'run', dependsOn: ['ada'] }),
    bot('lost', { command: 'missing' }),
  ]);
  const supervisor = createSupervisor({ registry }, { processes });
  const server = await serveControl(supervisor, { registryFile });
  onTestFinished(async () => {
    await server.close();
    await supervisor.close();
  });
  const control = await connectControl({ registryFile });
  return { control, processes, registry, registryFile, server };
}

describe('the control of a supervisor', () => {
  it('starts, stops and restarts bots, and tells what they do', async () => {
    const { control, processes, registry } = await served();
    await control.start('bob');
    expect(processes.launched).toHaveLength(2);
    await control.restart('ada');
    expect(processes.launched).toHaveLength(3);
    expect((await control.status()).map(({ id, status }) => `${id} ${status}`)).toEqual([
      'ada running',
      'bob running',
      'lost registered',
    ]);
    expect(await control.status('ada')).toMatchObject([{ pid: processes.last.identity.pid }]);
    expect(await control.stop('ada')).toEqual(['bob', 'ada']);
    expect(registry.now('ada').status).toBe('stopped');
  });

  it('hands on the errors of the supervisor by their code', async () => {
    const { control } = await served();
    await expect(control.start('nobody')).rejects.toMatchObject({
      code: 'BOTS_CONTROL_FAILED',
      remoteCode: 'BOTS_UNKNOWN_BOT',
    });
    await expect(control.start('lost')).rejects.toMatchObject({
      remoteCode: 'BOTS_NOT_STARTED',
      message: expect.stringContaining('there is no such program'),
    });
  });

  it('shows what a bot wrote, and then what it writes, until it is told to stop', async () => {
    const { control, processes } = await served();
    await control.start('ada');
    processes.last.write('stdout', 'one\ntwo\n');
    const past: string[] = [];
    for await (const { text } of control.logs('ada', { last: 1 })) past.push(text);
    expect(past).toEqual(['two']);
    const enough = new AbortController();
    const followed: LogLine[] = [];
    for await (const line of control.logs('ada', { follow: true, signal: enough.signal })) {
      followed.push(line);
      if (line.text === 'two') processes.last.write('stderr', 'three\n');
      if (line.text === 'three') enough.abort();
    }
    expect(followed.map(({ stream, text }) => `${stream} ${text}`)).toEqual([
      'stdout one',
      'stdout two',
      'stderr three',
    ]);
  });

  it('ends what follows a log when the supervisor goes', async () => {
    const { control, server } = await served();
    await control.start('ada');
    const following = (async () => {
      const lines: LogLine[] = [];
      for await (const line of control.logs('ada', { follow: true })) lines.push(line);
    })();
    following.catch(() => undefined);
    await control.status('ada');
    await server.close();
    await expect(following).rejects.toMatchObject({ code: 'BOTS_CONTROL_LOST' });
    await expect(control.status('ada')).rejects.toMatchObject({ code: 'BOTS_NO_SUPERVISOR' });
  });

  it('answers what is no request with what is wrong with it, and goes on', async () => {
    const { control, server } = await served();
    const ask = async (line: string) => {
      const socket = connect(server.path);
      socket.end(`${line}\n`);
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    expect(await ask('{"command":"dance"}')).toContain('"kind":"failed"');
    expect(await ask('{"command":"start","botId":"../x"}')).toContain('lower-case letters');
    expect(await ask('no JSON')).toBe('');
    expect(await ask('x'.repeat(100_000))).toBe('');
    expect(await control.status()).toHaveLength(3);
  });

  it('is for this user only', async () => {
    const { server } = await served();
    expect((await stat(server.path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(server.path))).mode & 0o777).toBe(0o700);
    expect(server.path.length).toBeLessThan(107);
  });

  it('is found by any name of the registry, whether the file is there yet or not', async () => {
    const file = await newRegistryFile();
    const path = await socketPathFor(file);
    await symlink(dirname(file), `${dirname(file)}-link`);
    onTestFinished(() => rm(`${dirname(file)}-link`));
    expect(await socketPathFor(join(`${dirname(file)}-link`, 'bots.json'))).toBe(path);
    expect(await socketPathFor(`${file}2`)).not.toBe(path);
  });

  it('is refused to a second supervisor of the same registry, and free again after the first', async () => {
    const { registryFile, server } = await served();
    const other = createSupervisor(
      { registry: new MemoryBots([]) },
      { processes: new FakeProcesses() },
    );
    await expect(serveControl(other, { registryFile })).rejects.toMatchObject({
      code: 'BOTS_SUPERVISOR_RUNNING',
    });
    await server.close();
    const second = await serveControl(other, { registryFile });
    await second.close();
    await other.close();
  });

  it('is refused to a second one whose temporary folder is another, and when that was cleaned', async () => {
    const { registryFile, server } = await served();
    await rm(server.path);
    await rm(`${server.path}.lock`, { force: true });
    const elsewhere = dirname(await newRegistryFile());
    const outcomes = await Promise.all(
      [process.env, { ...process.env, TMPDIR: elsewhere }].map((environment) =>
        firstLine(startHost(registryFile, environment)),
      ),
    );
    expect(outcomes).toEqual(['BOTS_SUPERVISOR_RUNNING', 'BOTS_SUPERVISOR_RUNNING']);
  });

  it('is refused by a symbolic link to a registry that is not there yet', async () => {
    const { registryFile, server } = await served();
    const link = await newRegistryFile();
    await symlink(registryFile, link);
    expect(await socketPathFor(link)).toBe(server.path);
    expect(await firstLine(startHost(link))).toBe('BOTS_SUPERVISOR_RUNNING');
  });

  it('goes to one of those that start together where one was killed', async () => {
    const registryFile = await newRegistryFile();
    const first = startHost(registryFile);
    expect(await firstLine(first)).toBe('serves');
    for (let round = 0, holder = first; round < 2; round += 1) {
      const ended = once(holder, 'exit');
      holder.kill('SIGKILL'); // its socket stays behind
      await ended;
      const contenders = [0, 1].map(() => startHost(registryFile));
      const outcomes = await Promise.all(contenders.map(firstLine));
      expect(outcomes.toSorted()).toEqual(['BOTS_SUPERVISOR_RUNNING', 'serves']);
      holder = contenders[outcomes.indexOf('serves')] ?? first;
      const control = await connectControl({ registryFile });
      expect(await control.status()).toEqual([]);
      if (round === 1) holder.kill('SIGKILL');
    }
  });
});

function startHost(registryFile: string, env = process.env): ChildProcess {
  const program = fileURLToPath(new URL('control-host.ts', import.meta.url));
  const args = ['--conditions=@buddy/source', program, registryFile];
  const host = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void host.kill('SIGKILL'));
  return host;
}

async function firstLine(host: ChildProcess): Promise<string> {
  const [chunk]: unknown[] = await once(host.stdout ?? host, 'data');
  return String(chunk).trim();
}
