import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import {
  createEngine,
  JournalOpenError,
  openJournal,
  type Operation,
  type Workflow,
} from '@buddy/agents';
import { checkFaults, describeKills } from '@buddy/agents/testing';
import { ManualClock, seededRandom } from '@buddy/core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
// The thread would hide what is written when; what it runs is this.
import { JournalWriter, type Write } from '../src/journal/journal-writer.ts';

/* Real processes, killed, stopped and starved. What happened is read from files that the engine knows nothing of. */

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddy-faults-'));
  file = join(folder, 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const PROGRAM = join(import.meta.dirname, 'fault-child.ts');

/** One of `fault-child.ts`, and what it prints. */
function start(args: readonly string[], shell = '') {
  const command = [process.execPath, '--conditions=@buddy/source', PROGRAM, folder, ...args];
  const child: ChildProcess = spawn('bash', ['-c', `${shell} exec "$@"`, 'bash', ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('It cannot be talked to');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit');
  return {
    child,
    stdin,
    next: async () => String((await lines.next()).value),
    /** The signal that ended it; null when it came to its end by itself. */
    end: async () => {
      const [code, signal]: unknown[] = await ended;
      assert(signal !== null || code === 0, `It failed with code ${String(code)}`);
      return signal;
    },
  };
}

const CHILDREN = 8;
const drive = (point = '') => start(['drive', `${CHILDREN}`, point]);

vi.setConfig({ testTimeout: 120_000 }); // some start dozens of processes, one after the other
const isLong = process.env['BUDDY_KILLS'] !== undefined;
const AROUND = ['before', 'after'] as const;

describeKills(
  'an engine over a journal',
  () => ({
    folder,
    drive: async (children, point = '') =>
      (await start(['drive', `${children}`, point]).end()) === 'SIGKILL',
  }),
  { describe, it },
  isLong
    ? {
        each: {
          begun: AROUND,
          intended: AROUND,
          recorded: AROUND,
          told: AROUND,
          timed: AROUND,
          signalled: AROUND,
          cancelled: AROUND,
          ended: AROUND,
          compacted: AROUND,
          called: ['before', 'within', 'after'],
        },
      }
    : {},
);

describe('a process that is killed', () => {
  it('by one of its own calls is killed by it four times, and then no more', async () => {
    let processes = 1;
    let last = start(['poison']);
    while ((await last.end()) === 'SIGKILL') {
      processes += 1;
      last = start(['poison']);
    }
    expect(JSON.parse(await last.next())).toMatchObject({
      value: { kind: 'failed', failure: { code: 'AGENTS_POISON_TASK', effect: 'unknown' } },
    });
    expect(processes).toBe(5);
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe('called\n'.repeat(4));
  });
});

describe('a process that stands still', () => {
  it('keeps what it owns from others, and goes on as if nothing had been', async () => {
    const owner = drive();
    expect(await owner.next()).toBe('open');
    while (!existsSync(join(folder, 'ledger'))) await setTimeout(5);
    owner.child.kill('SIGSTOP');
    const other = drive();
    expect(await other.next()).toBe('AGENTS_JOURNAL_OPEN');
    owner.child.kill('SIGCONT');
    expect(await owner.end()).toBeNull();
    const { processes } = checkFaults(folder, CHILDREN);
    expect(processes).toHaveLength(1);
  });
});

/** The ids that are in a journal; undefined when it says that it cannot be used. */
async function idsIn(journal: string): Promise<string[] | undefined> {
  let store;
  try {
    store = openJournal({ file: journal });
  } catch (error) {
    assert(error instanceof JournalOpenError && error.message.includes(journal), String(error));
    return undefined;
  }
  const ids = [...store.views()].map(({ id }) => id);
  await store.close();
  return ids;
}

describe('a log that a crash has torn', () => {
  it('loses what was written after the tear, and nothing else', async () => {
    const early = openJournal({ file });
    for (let n = 0; n < 50; n++) await early.keep(begun(`early/${n}`));
    await early.close(); // who opens it next puts all of it into the database, and begins a new log
    expect(await start(['log', '60']).end()).toBe('SIGKILL');
    const lengths = readFileSync(join(folder, 'acknowledged'), 'utf8')
      .trim()
      .split('\n')
      .map(Number);
    const log = readFileSync(`${file}-wal`);
    const all = [
      ...Array.from({ length: 50 }, (_, n) => `early/${n}`),
      ...lengths.map((_, n) => `late/${n}`),
    ];
    const random = seededRandom(Number(process.env['BUDDY_SEED'] ?? 1));
    let shortest = all.length;
    let longest = 0;
    for (let round = 0; round < 40; round++) {
      const place = mkdtempSync(join(folder, 'torn-'));
      const torn = join(place, 'journal.db');
      const at = Math.floor(random() * log.length);
      copyFileSync(file, torn);
      writeFileSync(
        `${torn}-wal`,
        round % 2 === 0 ? log.subarray(0, at) : garbled(log, at, random),
      );
      const ids = (await idsIn(torn)) ?? [];
      expect(ids).toEqual(all.slice(0, ids.length)); // the end may be missing, never the middle
      const safe = 50 + lengths.filter((length) => length <= at).length;
      expect(ids.length).toBeGreaterThanOrEqual(safe);
      shortest = Math.min(shortest, ids.length);
      longest = Math.max(longest, ids.length);
      rmSync(place, { recursive: true });
    }
    expect(shortest).toBeLessThan(longest); // tears did tear
    expect(await idsIn(file)).toEqual(all); // and without one, nothing is lost
  });

  it('of which the database itself is torn is refused, and stays as it was', async () => {
    const store = openJournal({ file });
    for (let n = 0; n < 50; n++) await store.keep(begun(`early/${n}`, 'x'.repeat(2_000)));
    await store.close();
    await openJournal({ file }).close(); // which puts all of it into the database
    truncateSync(file, 1_000);
    const before = readFileSync(file);
    expect(await idsIn(file)).toBeUndefined();
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

function begun(id: string, input = 'null'): Operation {
  return { kind: 'begun', id, workflow: 'w', version: '1', parentId: null, input };
}

/** With other bytes from here on, for as long as a page. */
function garbled(log: Buffer, at: number, random: () => number): Buffer {
  const copy = Buffer.from(log);
  for (let n = at; n < Math.min(at + 4_096, copy.length); n++) {
    copy[n] = Math.floor(random() * 256);
  }
  return copy;
}

const waitForGo: Workflow = async (ctx) => {
  await ctx.now('at');
  return ctx.waitFor('go', { key: 'go', timeoutMs: 3_600_000 });
};

function hasStrace(): boolean {
  return spawnSync('strace', ['-V']).status === 0;
}

describe('a disk that takes no more', () => {
  it('has what it acknowledged when it takes more again: the system fails its writes meanwhile', async () => {
    // A limit of the system's on the size of files, in KB: writes beyond it fail, as they do where a quota is used up.
    const { child, stdin, next, end } = start(['fill'], "trap '' XFSZ; ulimit -S -f 1000;");
    const refusal = await next();
    expect(refusal).toContain('AGENTS_JOURNAL_WRITE');
    expect(refusal).toContain('nothing was done');
    execFileSync('prlimit', ['--pid', `${child.pid}`, '--fsize=unlimited']);
    stdin.write('there is room\n');
    const { acknowledged, kinds, listed } = JSON.parse(await next());
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(kinds).toEqual(['completed']);
    expect(listed).toEqual(acknowledged.map((id: string) => `${id} completed`));
    expect(await end()).toBeNull();
  });

  // Debian's package strace; where there is none, this is skipped.
  it.runIf(hasStrace())(
    'has what it acknowledged when the system cannot sync for a while',
    async () => {
      const failing = '-e inject=fsync,fdatasync:error=EIO:when=60..90';
      const strace = `exec strace -f -qq -o '${folder}/strace' -e trace=fsync,fdatasync ${failing} "$@";`;
      const { stdin, next, end } = start(['fill'], strace);
      expect(await next()).toContain('AGENTS_JOURNAL_WRITE');
      stdin.write('it can again\n'); // when it has been tried often enough
      const { acknowledged, kinds, listed } = JSON.parse(await next());
      expect(acknowledged.length).toBeGreaterThan(5);
      expect(kinds).toEqual(['completed']);
      expect(listed).toEqual(acknowledged.map((id: string) => `${id} completed`));
      expect(await end()).toBeNull();
      const syncs = readFileSync(`${folder}/strace`, 'utf8').split('\n');
      expect(syncs.filter((line) => line.includes('EIO'))).toHaveLength(31);
      const again = openJournal({ file });
      expect([...again.views()].map(({ id, status }) => `${id} ${status}`)).toEqual(listed);
      await again.close();
    },
  );

  it('keeps what it acknowledged and nothing that it refused: commits fail at random, also such as were kept', async () => {
    const random = seededRandom(Number(process.env['BUDDY_SEED'] ?? 1));
    const clock = new ManualClock();
    let mayFail = true;
    const writer = (path: string) => {
      const real = new JournalWriter(path);
      return {
        write: async (batch: readonly Write[]) => {
          const isFailing = mayFail && random() < 0.3;
          if (isFailing && random() < 0.5) throw new Error('disk I/O error');
          real.write(batch);
          if (isFailing) throw new Error('disk I/O error'); // though all of it is there
        },
        close: async () => real.close(),
      };
    };
    const registration = { workflows: { call: waitForGo }, tools: [], lanes: {} };
    const started: string[] = [];
    const refused: string[] = [];
    const told = new Map<string, number>();
    const engine = createEngine({ clock, store: openJournal({ file }, { clock, writer }) });
    engine.register(registration);
    // What could not be kept may have been tried again meanwhile.
    const wait = () => clock.sleep(random() * 1_000);
    await clock.run(async () => {
      for (let n = 0; n < 60; n++) {
        const id = `w${n}`;
        await wait();
        await engine.start(id, 'call', null).then(
          () => started.push(id),
          () => refused.push(id),
        );
        for (const value of [1, 2]) {
          if (!started.includes(id) || told.has(id)) continue;
          await wait();
          await engine.signal(id, 'go', value, { key: `${id}/${value}` }).then(
            () => told.set(id, value),
            () => undefined,
          );
        }
      }
    });
    expect(refused.length).toBeGreaterThan(5);
    expect(told.size).toBeGreaterThan(5);
    mayFail = false; // for whoever closes tries once more
    await engine.close();
    const again = createEngine({ store: openJournal({ file }) });
    again.register(registration);
    await again.open();
    const listed: string[] = [];
    for await (const { id } of again.list()) listed.push(id);
    expect(listed).toEqual(started);
    for (const [id, value] of told) {
      expect(await again.result(id)).toEqual({
        kind: 'completed',
        value: { kind: 'received', value },
      });
    }
    await again.close();
  });
});
