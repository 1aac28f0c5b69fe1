import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSandbox } from '@buddy/sandbox';
import { afterEach, describe, expect, it } from 'vitest';
import type { GateThreadOptions } from '../src/guest-source/gate-thread.ts';
import type { GuestSource } from '../src/guest-source/guest-source.ts';
import { originalPosition } from '../src/guest-source/position-map.ts';
import { prepareGuestSource } from '../src/guest-source/prepare-guest-source.ts';
import { SourceGate } from '../src/guest-source/source-gate.ts';
import type { GateReport } from './host/gate.ts';

/** 28 times twice the work: some minutes of it. */
const ENDLESS = `const a: number = 1;\n${'<a>('.repeat(28)}`;
const TYPED = 'const a: number = 1;\na';
const OPTIONS = { globals: new Set(['Math', 'input']), modules: new Map([['math', ['pi']]]) };

const gates: SourceGate[] = [];
afterEach(() => {
  for (const gate of gates.splice(0)) gate.close();
});

function gateWith(
  options: GateThreadOptions = {},
): (text: string, signal?: AbortSignal) => Promise<GuestSource> {
  const gate = new SourceGate(options);
  gates.push(gate);
  return (text, signal = new AbortController().signal) => gate.prepare(text, OPTIONS, signal);
}

/** A thread that answers every text of types with a new line, save those that `answer` has something else for. */
function threadThat(answer: string): URL {
  const program = `
    import { parentPort } from 'node:worker_threads';
    import { existsSync, writeFileSync } from 'node:fs';
    const positions = new Int32Array(0);
    const ready = { kind: 'ready', source: 'answered', lineOffset: 0, columnOffset: 0, imports: [], language: 'typescript', positions };
    const say = (source) => parentPort.postMessage({ kind: 'prepared', source, isSpent: false });
    parentPort.on('message', ({ text }) => { ${answer}; say(ready); });
    parentPort.postMessage({ kind: 'started' });`;
  return new URL(`data:text/javascript,${encodeURIComponent(program)}`);
}

describe('the source gate', () => {
  it.each([
    ['short JavaScript', 'const a = 1;\na + 1'],
    ['long JavaScript', `/*${'x'.repeat(9_000)}*/ "import("; const a = 1;\nexport default a`],
    ['TypeScript', TYPED],
    ['imports', `import { pi } from 'math'; ${'pi;'.repeat(1_000)}`],
    ['a name that is not there', `mispelt;${'1;'.repeat(2_000)}`],
    ['a module that is not allowed', `import 'fs';${'1;'.repeat(2_000)}`],
    ['what only a compiler could turn into JavaScript', 'enum A { B }'],
    ['no language at all', 'Here: is <some> text!'],
    ['a Unicode property', '/\\p{L}/u.test(input)'],
  ])('reads %s as it would be read at once', async (_what, text) => {
    expect(await gateWith()(text)).toEqual(prepareGuestSource(text, OPTIONS));
  });

  it('tells the place of what was read in its thread', async () => {
    const text = `${'\n'.repeat(3_000)}"import("; Math`;
    const source = await gateWith()(text);
    if (source.kind !== 'ready') throw new Error(JSON.stringify(source));
    const line = 3_001;
    const column = (source.source.split('\n')[line - 1] ?? '').indexOf('Math') + 1;
    expect(originalPosition(source, { line, column })).toEqual({ line, column: 12 });
  });

  it('gives up a text that takes too long, and reads those that waited for it', async () => {
    const prepare = gateWith({ deadlineMs: 300 });
    const [endless, ...others] = await Promise.all(
      [ENDLESS, TYPED, TYPED].map((text) => prepare(text)),
    );
    expect(endless).toMatchObject({
      kind: 'rejected',
      error: { kind: 'unsupported', message: 'The code takes too long to read', line: 1 },
    });
    expect(others).toMatchObject([{ kind: 'ready' }, { kind: 'ready' }]);
  });

  it('rejects at once when the run is aborted, be the text read at that moment or waiting', async () => {
    const prepare = gateWith({ deadlineMs: 300_000 });
    const abort = new AbortController();
    const inTurn = [prepare(ENDLESS, abort.signal), prepare(TYPED, abort.signal)];
    abort.abort(new Error('enough'));
    expect(await Promise.allSettled(inTurn)).toMatchObject([
      { status: 'rejected', reason: { message: 'enough' } },
      { status: 'rejected', reason: { message: 'enough' } },
    ]);
    await expect(prepare(TYPED, abort.signal)).rejects.toThrow('enough');
  });

  it('reads a text again when the thread broke, and then no more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gate-'));
    const mark = JSON.stringify(join(folder, 'broken'));
    const program = threadThat(`
      if (text.includes('always')) process.exit(1);
      if (text.includes('once') && !existsSync(${mark})) { writeFileSync(${mark}, ''); process.exit(1); }`);
    const prepare = gateWith({ program });
    const texts = ['always', 'once', 'never'].map((name) => `let ${name}: number`);
    expect(await Promise.all(texts.map((text) => prepare(text)))).toMatchObject([
      { kind: 'rejected', error: { kind: 'unsupported', message: 'The code could not be read' } },
      { kind: 'ready', source: 'answered' },
      { kind: 'ready', source: 'answered' },
    ]);
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['asks for more memory than a text is worth', 'for (const all = [];;) all.push([all.length])'],
    ['says what it should not', 'say({ kind: "ready", source: 1 })'],
  ])(
    'outlives a thread that %s',
    async (_what, answer) => {
      const prepare = gateWith({
        program: threadThat(`if (text.includes('bad')) ${answer}`),
        deadlineMs: 60_000,
      });
      expect(await prepare('let bad: number')).toMatchObject({
        error: { message: 'The code could not be read' },
      });
      expect(await prepare('let good: number')).toMatchObject({ kind: 'ready' });
    },
    120_000,
  );

  it('says so when no thread can be started, and still reads short JavaScript', async () => {
    const program = new URL('data:text/javascript,throw new Error("not here")');
    const prepare = gateWith({ program });
    await expect(Promise.all([prepare(TYPED), prepare(TYPED)])).rejects.toMatchObject({
      code: 'SANDBOX_START_FAILED',
      message: expect.stringContaining('not here'),
    });
    expect(await prepare('1 + 1')).toMatchObject({ kind: 'ready' });
  });
});

describe('a sandbox', () => {
  it('ends a run whose text takes too long to read, and runs the next', async () => {
    await using sandbox = await createSandbox({ isolation: 'session' });
    const [endless, next] = await Promise.all([sandbox.run(ENDLESS), sandbox.run(TYPED)]);
    expect(endless).toMatchObject({
      status: 'error',
      error: { kind: 'unsupported', message: 'The code takes too long to read' },
    });
    expect(next).toMatchObject({ status: 'ok', value: 1 });
  });

  it('rejects a run that is aborted while its text is read', async () => {
    await using sandbox = await createSandbox({ isolation: 'session' });
    const abort = new AbortController();
    const run = sandbox.run(ENDLESS, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    expect(await sandbox.run(TYPED)).toMatchObject({ status: 'ok' });
  });

  it('gives fifty runs at a time their own values', async () => {
    await using sandbox = await createSandbox({ isolation: 'session' });
    const runs = Array.from({ length: 50 }, (_, i) => sandbox.run(`const a: number = ${i}; a`));
    expect((await Promise.all(runs)).map((run) => 'value' in run && run.value)).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    );
  });

  it('has hostile texts read without its own thread, and lets its program end', () => {
    const script = fileURLToPath(new URL('host/gate.ts', import.meta.url));
    const said = execFileSync(process.execPath, ['--conditions=@buddy/source', script], {
      encoding: 'utf8',
      timeout: 100_000,
    });
    const reports: GateReport[] = JSON.parse(said);
    expect(reports.length).toBeGreaterThan(10);
    // Processor time, which other programs on the machine do not change. Read in its own thread, some took seconds.
    expect(reports.filter(({ hostCpuMs }) => hostCpuMs > 100)).toEqual([]);
  }, 120_000);

  it('runs short JavaScript in a host that may not start threads, and says what the rest needs', () => {
    const program = `
      import { createSandbox } from '@buddy/sandbox';
      await using sandbox = await createSandbox({ startupSnapshot: 'off', osIsolation: 'off' });
      const { value } = await sandbox.run('1 + 1');
      const refused = await sandbox.run('const a: number = 1; a').catch(({ code, message }) => ({ code, message }));
      console.log(JSON.stringify({ value, refused }));`;
    const said = execFileSync(
      process.execPath,
      [
        '--permission',
        '--allow-fs-read=*',
        '--allow-fs-write=*',
        '--allow-child-process',
        '--no-warnings',
        '--conditions=@buddy/source',
        '--input-type=module',
        '-e',
        program,
      ],
      { encoding: 'utf8', timeout: 60_000, cwd: fileURLToPath(new URL('..', import.meta.url)) },
    );
    expect(JSON.parse(said)).toMatchObject({
      value: 2,
      refused: { code: 'SANDBOX_START_FAILED', message: expect.stringContaining('--allow-worker') },
    });
  });
});
