import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import {
  connectLocally,
  listenLocally,
  localSocketPath,
  receiveMessages,
  sendMessage,
} from '@buddy/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-socket-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function echo(connection: Socket): Promise<void> {
  for await (const message of receiveMessages(connection, 1_000)) {
    await sendMessage(connection, { heard: message });
  }
}

async function listening(answer: (connection: Socket) => Promise<void> = echo) {
  const path = join(await newFolder(), 'a.sock');
  const server = await listenLocally(path, answer);
  onTestFinished(() => server.close());
  return { path, server };
}

/** What comes back for bytes that are sent as they are. */
async function answersTo(path: string, bytes: string): Promise<unknown[]> {
  const socket = await connectLocally(path);
  socket.write(bytes);
  const answers: unknown[] = [];
  for await (const message of receiveMessages(socket)) {
    answers.push(message);
    socket.end();
  }
  return answers;
}

describe('a local socket', () => {
  it('carries messages both ways, whole, however they are cut and of whatever letters', async () => {
    const { path } = await listening(async (connection) => {
      for await (const message of receiveMessages(connection)) {
        await sendMessage(connection, { heard: message });
      }
    });
    const socket = await connectLocally(path);
    const texts = ['é', 'two\nlines', 'x'.repeat(300_000)];
    const bytes = Buffer.from(texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
    socket.write(bytes.subarray(0, 10)); // in the middle of a letter
    socket.write(bytes.subarray(10));
    const heard: unknown[] = [];
    for await (const message of receiveMessages(socket)) {
      heard.push(message);
      if (heard.length === texts.length) socket.end();
    }
    expect(heard).toEqual(texts.map((text) => ({ heard: { text } })));
  });

  it('breaks off what is no JSON, or longer than allowed, and answers the next one', async () => {
    const { path } = await listening();
    expect(await answersTo(path, 'no JSON\n')).toEqual([]);
    expect(await answersTo(path, `"${'x'.repeat(2_000)}"\n`)).toEqual([]);
    expect(await answersTo(path, 'x'.repeat(2_000))).toEqual([]); // and never ends
    expect(await answersTo(path, '"well"\n')).toEqual([{ heard: 'well' }]);
  });

  it('hears of those who leave while their answer is being made', async () => {
    const left = Promise.withResolvers<unknown>();
    const { path } = await listening(async (connection) => {
      for await (const message of receiveMessages(connection)) {
        await once(connection, 'close');
        left.resolve(message);
      }
    });
    const socket = await connectLocally(path);
    await sendMessage(socket, { wait: true });
    socket.destroy();
    expect(await left.promise).toEqual({ wait: true });
  });

  it('is for this user only, gone when it is closed, and takes the place of one whose process was killed', async () => {
    const { path, server } = await listening();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await server.close();
    await server.close();
    await expect(connectLocally(path)).rejects.toMatchObject({ code: 'ENOENT' });
    const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('on'))`;
    const other = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 2] });
    await once(other.stdout ?? other, 'data');
    other.kill('SIGKILL');
    await once(other, 'exit');
    await expect(connectLocally(path)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const next = await listenLocally(path, echo);
    expect(await answersTo(path, '1\n')).toEqual([{ heard: 1 }]);
    await next.close();
  });
});

describe("the path of this user's sockets", () => {
  it('is the same for the same key, short, and in a folder that nobody else may enter', async () => {
    vi.stubEnv('TMPDIR', await newFolder());
    onTestFinished(() => void vi.unstubAllEnvs());
    const path = await localSocketPath('greeter', '/a/long/way/'.repeat(50));
    expect(await localSocketPath('greeter', '/a/long/way/'.repeat(50))).toBe(path);
    expect(await localSocketPath('greeter', 'b')).not.toBe(path);
    expect(await localSocketPath('other', 'b')).not.toBe(await localSocketPath('greeter', 'b'));
    expect(path.length).toBeLessThan(107);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  });

  it('is refused where others could put a socket, and where the folder is a link', async () => {
    const folder = await newFolder();
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const refused = { code: 'CORE_SOCKET_FOLDER' };
    const own = dirname(await localSocketPath('greeter', 'a'));
    await chmod(own, 0o770);
    await expect(localSocketPath('greeter', 'a')).rejects.toMatchObject({
      ...refused,
      folder: own,
    });
    await rm(own, { recursive: true });
    await mkdir(join(folder, 'elsewhere'), { mode: 0o700 });
    await symlink(join(folder, 'elsewhere'), own);
    await expect(localSocketPath('greeter', 'a')).rejects.toMatchObject(refused);
  });
});
