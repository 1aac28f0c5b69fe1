import { mkdtemp, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countingId, ManualClock } from '@buddy/core';
import { createSupervisor, type SupervisorInput } from '@buddy/bots';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rm } from 'node:fs/promises';
import { FakeProcesses } from '../process/fake-processes.ts';
import { bot, MemoryBots } from './memory-bots.ts';

async function startedBot(
  options: SupervisorInput = {},
  environment: Readonly<Record<string, string>> = {},
) {
  const processes = new FakeProcesses();
  const clock = new ManualClock();
  const supervisor = createSupervisor(
    {
      registry: new MemoryBots([bot('ada', { command: 'run', env: Object.keys(environment) })]),
      ...options,
    },
    { clock, processes, environment, newId: countingId('mark') },
  );
  await supervisor.start('ada');
  const texts = async (last?: number) =>
    (await supervisor.logs('ada', { last })).map(({ text }) => text);
  return { clock, process: processes.last, supervisor, texts };
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bots-logs-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe("a bot's log", () => {
  it('keeps lines with their time and stream, and tells each', async () => {
    const { process, supervisor } = await startedBot();
    const told: string[] = [];
    supervisor.events.on('lineLogged', ({ botId, line }) => told.push(`${botId}: ${line.text}`));
    process.write('stdout', 'one\ntwo\r\n');
    process.write('stderr', 'three\n');
    expect(await supervisor.logs('ada', { last: 2 })).toEqual([
      { at: Date.UTC(2026, 0, 1), stream: 'stdout', text: 'two' },
      { at: Date.UTC(2026, 0, 1), stream: 'stderr', text: 'three' },
    ]);
    expect(told).toEqual(['ada: one', 'ada: two', 'ada: three']);
    await supervisor.close();
  });

  it('is the same, however its bytes arrive', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[a-zé中🙂 ]{1,20}$/u), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        async (lines, sizes) => {
          const { process, supervisor, texts } = await startedBot();
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            process.launch.onOutput('stdout', bytes.subarray(at, at + size));
            at += size;
          }
          expect(await texts()).toEqual(lines);
          await supervisor.close();
        },
      ),
      { numRuns: 50 },
    ));

  it('holds no secret, be it on one line or a private key on many', async () => {
    const { process, supervisor, texts } = await startedBot();
    process.write('stdout', 'connect to postgres://ada:hunter2@db\n');
    process.write('stdout', '-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nshort\n');
    process.write('stderr', 'between\n');
    process.write('stdout', '-----END RSA PRIVATE KEY-----\nafter\n');
    expect(await texts()).toEqual([
      'connect to postgres://ada:[redacted:password]@db',
      '[redacted:private-key]',
      'between',
      'after',
    ]);
    await supervisor.close();
  });

  it('goes on after a line that only speaks of a private key', async () => {
    const { process, supervisor, texts } = await startedBot();
    process.write('stdout', 'expected -----BEGIN PRIVATE KEY----- in key.pem\nnext: try 2\n');
    expect(await texts()).toEqual(['[redacted:private-key]', 'next: try 2']);
    await supervisor.close();
  });

  it.each([
    ['a line that is no base64', 'MIIabc\nready\nready: yes\n', 2],
    ['256 lines', `${'tick\n'.repeat(256)}ready: yes\n`, 256],
    ['32 768 characters', `${`${'A'.repeat(8_192)}\n`.repeat(4)}ready: yes\n`, 4],
  ])('takes a private key to be over at %s, and says what it left out', async (_, text, lines) => {
    const { process, supervisor, texts } = await startedBot();
    process.write('stdout', `-----BEGIN PRIVATE KEY-----\n${text}`);
    expect(await texts()).toEqual([
      '[redacted:private-key]',
      `[a private key began and did not end; lines left out: ${lines}]`,
      'ready: yes',
    ]);
    await supervisor.close();
  });

  it('holds no line of a private key that another line came into, and the others whole', async () => {
    const { process, supervisor, texts } = await startedBot();
    const line = 'MIIa/+b'.repeat(9);
    const stack = `    at read (/srv/${'node/modules/'.repeat(4)}index.js:1:2)`;
    process.write('stdout', `-----BEGIN PRIVATE KEY-----\n${line}\n${stack}\n${line}\nMI=\n`);
    process.write('stdout', `-----END PRIVATE KEY-----\n${stack}\n`);
    expect(await texts()).toEqual([
      '[redacted:private-key]',
      '[a private key began and did not end; lines left out: 1]',
      stack,
      '[redacted:private-key]',
      'MI=',
      '[redacted:private-key]',
      stack,
    ]);
    await supervisor.close();
  });

  it('goes on within the bound, whatever is written without an end', async () => {
    const { clock, process, supervisor, texts } = await startedBot();
    process.write('stdout', `-----BEGIN PRIVATE KEY-----\n${'tick\n'.repeat(258)}`);
    expect((await texts()).slice(2)).toEqual(['tick', 'tick']);
    process.write('stdout', '-----BEGIN PRIVATE KEY-----\nMIIabc\n');
    process.exit(1);
    await clock.advance(1);
    expect((await texts()).slice(4)).toEqual([
      '[redacted:private-key]',
      '[a private key began and did not end; lines left out: 1]',
    ]);
    await supervisor.close();
  });

  it.each([
    ['with headers', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\nMIIabc\n'],
    ['in PGP armour', 'Version: GnuPG v2\n\nlQOYBF\n=Xa3d\n'],
    ['in source code', '  "MIIabc\\n",\n  "MIIdef\\n",\n'],
    ['behind a time', `2026-01-01T00:00:00Z INFO ${'MIIa'.repeat(16)}\n`],
    ['of 16 384 bits', `${'M'.repeat(64)}\n`.repeat(197)],
  ])('holds nothing of a private key %s', async (_, body) => {
    const { process, supervisor, texts } = await startedBot();
    process.write(
      'stderr',
      `-----BEGIN PRIVATE KEY-----\n${body}-----END PRIVATE KEY-----\nafter\n`,
    );
    expect(await texts()).toEqual(['[redacted:private-key]', 'after']);
    await supervisor.close();
  });

  it('holds no value of a variable that was handed on, when it has 8 characters or more', async () => {
    const { process, supervisor, texts } = await startedBot(
      {},
      {
        PHRASE: 'open sesame',
        LONGER: 'open sesame, please',
        PORT: '8080',
        PEM: 'first line\nsecond line',
      },
    );
    process.write('stdout', 'open sesame, please; open sesame; port 8080\n');
    process.write('stderr', 'first line\nsecond line\n');
    const hidden = '[redacted:environment]';
    expect(await texts()).toEqual([`${hidden}; ${hidden}; port 8080`, hidden, hidden]);
    await supervisor.close();
  });

  it('is bounded in lines and in characters, and cuts a line that never ends', async () => {
    const { process, supervisor, texts } = await startedBot({ ringLines: 3, ringCharacters: 10 });
    for (const text of ['a', 'b', 'c', 'd']) process.write('stdout', `${text}\n`);
    expect(await texts()).toEqual(['b', 'c', 'd']);
    process.write('stdout', '123456789\n');
    expect(await texts()).toEqual(['d', '123456789']);
    await supervisor.close();
    const other = await startedBot();
    other.process.write('stdout', 'xy '.repeat(10_000));
    other.process.write('stdout', '\n');
    const [text = ''] = await other.texts();
    expect(text).toHaveLength(8_192 + '… (21808 characters left out)'.length);
    expect(text).toContain('… (21808 characters left out)');
    await other.supervisor.close();
  });

  it('has what a bot wrote last without ending its line', async () => {
    const { clock, process, supervisor, texts } = await startedBot();
    process.write('stderr', 'Killed');
    expect(await texts()).toEqual([]);
    process.exit(1);
    await clock.advance(1);
    expect(await texts()).toEqual(['Killed']);
    await supervisor.close();
  });

  it('is written to files that rotate, for this user only', async () => {
    const folder = join(await newFolder(), 'logs');
    const { process, supervisor } = await startedBot({
      logs: { folder, maxFileBytes: 200, maxFiles: 3 },
    });
    for (let line = 0; line < 30; line += 1) {
      process.write('stdout', `line ${line}\n`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await supervisor.close();
    expect((await readdir(folder)).toSorted()).toEqual(['ada.log', 'ada.log.1', 'ada.log.2']);
    const texts = await Promise.all(
      ['ada.log.2', 'ada.log.1', 'ada.log'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    const lines = texts.join('').trimEnd().split('\n');
    expect(lines.at(-1)).toBe('2026-01-01T00:00:00.000Z stdout line 29');
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(200);
    expect((await stat(join(folder, 'ada.log'))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('loses lines, and nothing else, when the disk is full', async () => {
    const folder = await newFolder();
    await symlink('/dev/full', join(folder, 'ada.log')); // every write to it fails with ENOSPC
    const { process, supervisor, texts } = await startedBot({ logs: { folder } });
    process.write('stdout', 'one\n');
    process.write('stdout', 'two\n');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await texts()).toEqual(['one', 'two']);
    expect((await supervisor.status('ada')).status).toBe('running');
    await supervisor.close();
    expect(process.signals).toEqual(['SIGTERM']);
  });
});
