import { readFile } from 'node:fs/promises';
import type { Figure, Target } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';
import { type HostReport, type HostTask, runHost } from '../measure/sandbox-host.ts';
import { buddy } from '../sandboxes/buddy.ts';
import type { SandboxContender } from '../sandboxes/contender.ts';
import { RIVALS } from '../sandboxes/contenders.ts';
import { plain } from '../sandboxes/plain.ts';

const ROUNDS = 3;
const HOST_TIMEOUT_MS = 30_000;

/** What it costs to run code that nobody vouches for, and what is left standing when it is hostile. */
export async function measureSandbox(): Promise<Figure[]> {
  const present: SandboxContender[] = [];
  const missing: Figure[] = [];
  for (const rival of RIVALS) {
    const { answer } = await runHost(rival, ONE_RUN, BOUNDS);
    if (answer && answer.missing === undefined) present.push(rival);
    else
      missing.push({ ...nothing(`${rival.name}: left out`), outcome: 'it is not installed here' });
  }
  // The snapshot is made at first use, in the background: not while it is measured.
  await runHost(buddy, { type: 'idle', kind: 'fresh' }, BOUNDS);
  return [
    ...missing,
    ...(await measureFreshRuns(present)),
    ...(await measureAgain(present)),
    ...(await measureSustained()),
    ...(await measureCalls(present)),
    ...(await measureScript(present)),
    ...(await measureLoop(present)),
    ...(await measureBombs(present)),
    ...(await measureIdle()),
    ...(await measureCpu(present)),
    await countDependencies(),
  ];
}

const BOUNDS = { timeoutMs: HOST_TIMEOUT_MS, maxMb: 4_000 };
const ONE_RUN: HostTask = {
  type: 'latency',
  kind: 'fresh',
  code: '1 + 1',
  runs: 1,
  warmUps: 0,
  pauseMs: 0,
};

async function measureFreshRuns(rivals: readonly SandboxContender[]): Promise<Figure[]> {
  const figures = await latencyRounds([buddy, ...rivals], (contender) => ({
    type: 'latency',
    kind: 'fresh',
    code: '1 + 1',
    runs: 25,
    warmUps: 3,
    pauseMs: contender === buddy ? 150 : 5, // for the pool to be full again
  }));
  return figures.flatMap(({ contender, p50s, p95s }) => [
    time(contender, 'a fresh one for each run, p50', 'ms', p50s, 2),
    time(contender, 'a fresh one for each run, p95', 'ms', p95s, 5),
  ]);
}

async function measureAgain(rivals: readonly SandboxContender[]): Promise<Figure[]> {
  const figures = await latencyRounds([buddy, ...rivals], () => ({
    type: 'latency',
    kind: 'again',
    code: '1 + 1',
    runs: 1_000,
    warmUps: 300,
    pauseMs: 0,
  }));
  const rates = await rateRounds({
    type: 'rate',
    kind: 'again',
    code: '1 + 1',
    width: 4,
    seconds: 1.5,
  });
  return [
    ...figures.map(({ contender, p50s }) =>
      time(contender, 'session: only fresh globals for each run, p50', 'ms', p50s, 0.3),
    ),
    {
      name: 'session, 4 at a time',
      unit: 'runs/s',
      ...summary(rates),
      target: { is: 'at least', value: 4_000 },
    },
  ];
}

async function measureSustained(): Promise<Figure[]> {
  const rates = await rateRounds({
    type: 'rate',
    kind: 'fresh',
    code: '1 + 1',
    width: 4,
    seconds: 3,
  });
  return [
    {
      name: 'fresh processes, without a pause, 4 at a time',
      unit: 'runs/s',
      ...summary(rates),
      target: { is: 'at least', value: 35, from: '25 without the start-up snapshot' },
    },
  ];
}

const CALLS = 4_000;
const callTimes = (calls: number): string =>
  `(async () => { let s = 0; for (let i = 0; i < ${calls}; i++) s = await call(s); return s; })()`;
const CALL_ABREAST = `(async () => { for (let i = 0; i < ${CALLS / 20}; i++) await Promise.all(Array.from({ length: 20 }, (_, k) => call(k))); })()`;

const perSecond = (ms: readonly number[]): number[] => ms.map((it) => CALLS / (it / 1_000));
const callTask = (code: string): HostTask => ({
  type: 'latency',
  kind: 'again',
  code,
  runs: 4,
  warmUps: 2,
  pauseMs: 1,
});

async function measureCalls(rivals: readonly SandboxContender[]): Promise<Figure[]> {
  const one = await latencyRounds([buddy, ...rivals], () => callTask(callTimes(CALLS)));
  const many = await latencyRounds([buddy], () => callTask(CALL_ABREAST));
  const target: Target = { is: 'at least', value: 20_000 };
  return [
    ...one.map(({ contender, p50s }) => ({
      name: named(contender, 'calls of a host function, each awaited before the next'),
      unit: 'calls/s',
      ...summary(perSecond(p50s)),
      ...(contender === buddy ? { target } : { isPeer: true }),
    })),
    ...many.map(({ p50s }) => ({
      name: 'calls of a host function, 20 awaited at a time',
      unit: 'calls/s',
      ...summary(perSecond(p50s)),
    })),
  ];
}

async function measureScript(rivals: readonly SandboxContender[]): Promise<Figure[]> {
  const figures = await latencyRounds([buddy, ...rivals], (contender) => ({
    type: 'latency',
    kind: 'fresh',
    code: callTimes(50),
    runs: 15,
    warmUps: 3,
    pauseMs: contender === buddy ? 150 : 5,
  }));
  return figures.map(({ contender, p50s }) =>
    time(contender, 'a script of 50 calls in a fresh one, p50', 'ms', p50s, 8),
  );
}

const LOOP_LIMIT_MS = 200;
const loopTask = (code: string): HostTask => ({
  type: 'hostile',
  kind: 'fresh',
  code,
  timeoutMs: LOOP_LIMIT_MS,
});

async function measureLoop(rivals: readonly SandboxContender[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [what, code] of [
    ['while (true)', '(() => { while (true) {} })()'],
    ['a loop of microtasks', '(async () => { while (true) await 0; })()'],
  ] as const) {
    for (const contender of [buddy, ...rivals]) {
      const report = await runHost(contender, loopTask(code), { timeoutMs: 3_000, maxMb: 1_500 });
      const [wallMs, blockMs] = report.answer?.numbers ?? [];
      const overshoot = `${what}, limit ${LOOP_LIMIT_MS} ms: overshoot`;
      const block = `${what}: longest block of the host's event loop`;
      if (wallMs === undefined || blockMs === undefined) {
        figures.push(fateOf(contender, overshoot, report));
        continue;
      }
      figures.push(
        time(contender, overshoot, 'ms', [wallMs - LOOP_LIMIT_MS], 50),
        time(contender, block, 'ms', [blockMs], 100),
      );
    }
  }
  return figures;
}

const MEMORY_LIMIT_MB = 64;
const BOMBS = {
  'heap bomb':
    '(() => { const all = []; for (;;) all.push({ at: all.length, text: [all.length] }); })()',
  'ArrayBuffer bomb':
    '(() => { const all = []; for (;;) all.push(new Uint8Array(16e6).fill(1)); })()',
  'string bomb':
    '(() => { const all = []; for (let text = "x".repeat(1e6); ; ) all.push((text + all.length).split("").join("")); })()',
  'result bomb': '"x".repeat(2e8)',
  'log or call bomb':
    '(() => { const text = "x".repeat(1e6); const say = typeof console === "object" ? (t) => console.log(t) : (t) => call(t); for (;;) say(text); })()',
} as const;

async function measureBombs(rivals: readonly SandboxContender[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [what, code] of Object.entries(BOMBS)) {
    for (const contender of [buddy, ...rivals]) {
      const report = await runHost(
        contender,
        { type: 'hostile', kind: 'fresh', code, timeoutMs: 1_500, memoryMb: MEMORY_LIMIT_MB },
        { timeoutMs: 3_000, maxMb: 1_500 },
      );
      const name = `${what}, limit ${MEMORY_LIMIT_MB} MB: peak of host and child`;
      const target: Target = { is: 'at most', value: MEMORY_LIMIT_MB + 256 };
      figures.push({
        ...fateOf(contender, name, report),
        unit: 'MB',
        measured: report.peakMb,
        ...(contender === buddy && { target }),
      });
    }
  }
  return figures;
}

async function measureIdle(): Promise<Figure[]> {
  const { answer } = await runHost(buddy, { type: 'idle', kind: 'fresh' }, BOUNDS);
  // A shell's or a namespace's own process is a fraction of a megabyte: a part of its slot.
  const slots = (answer?.numbers ?? []).filter((mb) => mb > 5);
  const wrappers = (answer?.numbers ?? []).filter((mb) => mb <= 5);
  const perSlot = wrappers.reduce((sum, mb) => sum + mb, 0) / Math.max(1, slots.length);
  return [
    {
      name: 'an idle process of the pool, its share of memory (PSS)',
      unit: 'MB',
      ...summary(slots.map((mb) => mb + perSlot)),
      target: { is: 'at most', value: 25 },
    },
  ];
}

/** Numbers, calls of built-ins, objects, strings, a map and sorting: half a second of plain Node. */
const WORK = `(() => {
  let sum = 0;
  for (let i = 0; i < 6e6; i++) sum = (sum + Math.floor(i * 1.5)) % 1000003;
  for (let i = 0; i < 3e5; i++) sum += JSON.stringify({ at: i, text: 'n' + i }).length;
  const counts = new Map();
  for (let i = 0; i < 1e6; i++) counts.set(i % 997, (counts.get(i % 997) ?? 0) + 1);
  const items = Array.from({ length: 2e5 }, (_, i) => ({ key: (i * 7919) % 100003 }));
  items.sort((a, b) => a.key - b.key);
  return sum + counts.size + items[5].key;
})()`;

async function measureCpu(rivals: readonly SandboxContender[]): Promise<Figure[]> {
  const figures = await latencyRounds([plain, buddy, ...rivals], () => ({
    type: 'latency',
    kind: 'fresh',
    code: WORK,
    runs: 2,
    warmUps: 1,
    pauseMs: 100,
  }));
  const base = figures.find(({ contender }) => contender === plain);
  const of = summary(base?.p50s ?? []).measured;
  return figures
    .filter(({ contender }) => contender !== plain)
    .map(({ contender, p50s }) =>
      time(
        contender,
        'time of half a second of computing / plain Node',
        '',
        p50s.map((ms) => ms / of),
        1.5,
      ),
    );
}

async function countDependencies(): Promise<Figure> {
  const manifest = new URL('../../packages/sandbox/package.json', import.meta.url);
  const { dependencies }: { dependencies: object } = JSON.parse(await readFile(manifest, 'utf8'));
  const names = Object.keys(dependencies).map((name) => name.replace('@buddy/', ''));
  return {
    name: `runtime dependencies: ${names.join(', ')}`,
    unit: '',
    measured: names.length,
    target: { is: 'at most', value: 5 },
  };
}

interface Latencies {
  contender: SandboxContender;
  /** One of each round. */
  p50s: number[];
  p95s: number[];
}

/** In turns, and the first of a round is the second of the next. */
async function latencyRounds(
  contenders: readonly SandboxContender[],
  taskFor: (contender: SandboxContender) => HostTask,
): Promise<Latencies[]> {
  const all = contenders.map((contender): Latencies => ({ contender, p50s: [], p95s: [] }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let turn = 0; turn < all.length; turn += 1) {
      const one = all[(turn + round) % all.length];
      if (!one) continue;
      const { contender, p50s, p95s } = one;
      const { answer, fate } = await runHost(contender, taskFor(contender), BOUNDS);
      if (!answer || answer.missing !== undefined)
        throw new Error(`The host of ${contender.name} ${fate ?? answer?.missing}`);
      const times = answer.numbers.toSorted((a, b) => a - b);
      p50s.push(times[Math.floor(times.length / 2)] ?? Number.NaN);
      p95s.push(times[Math.floor(times.length * 0.95)] ?? Number.NaN);
    }
  }
  return all;
}

async function rateRounds(task: HostTask): Promise<number[]> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { answer, fate } = await runHost(buddy, task, BOUNDS);
    if (!answer) throw new Error(`The host of Buddy ${fate}`);
    rates.push(...answer.numbers);
  }
  return rates;
}

function time(
  contender: SandboxContender,
  what: string,
  unit: string,
  values: readonly number[],
  atMost: number,
): Figure {
  const target: Target = { is: 'at most', value: atMost };
  const figure = { name: named(contender, what), unit, ...summary(values) };
  return contender === buddy ? { ...figure, target } : { ...figure, isPeer: true };
}

function fateOf(contender: SandboxContender, what: string, report: HostReport): Figure {
  const { answer, fate } = report;
  return {
    ...nothing(named(contender, what)),
    outcome: fate === undefined ? (answer?.said ?? '') : `host ${fate}`,
    ...(contender !== buddy && { isPeer: true }),
  };
}

function named(contender: SandboxContender, what: string): string {
  return contender === buddy ? what : contender.name;
}

function nothing(name: string): Figure {
  return { name, unit: '', measured: Number.NaN };
}
