import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { appendJsonLines, median, quantile, seededRandom, writeFileAtomic } from '@buddy/core';
import { worlds } from '../worlds/index.ts';
import { type Drift, driftOf } from './drift.ts';
import { openGrounds } from './grounds.ts';
import { soak, type SoakEnd, type Turn } from './real-faults.ts';

const HELP = `Breaks what the guardian's playbooks mend, for real, one thing after another, and sees whether it stays fit.

Usage: node --expose-gc --conditions=@buddy/source test/soak/run.ts [options]

  --minutes N    how long (default: 10)
  --days N       how long, in days
  --every S      a fault every so many seconds (default: 3)
  --only A,B     only these playbooks
  --folder DIR   where its progress is kept (default: out/soak)
  --resume       go on with the soak in that folder: what it has done counts
  --report FILE  where the report goes (default: DIR/report.json)
  --seed N       decides the order (default: 1)
  --help         print this

Exit status: 0 every fault was mended and nothing drifts; 1 else; 2 bad usage; 130 interrupted, to go on with --resume.
`;

/** What a timer can wait for. */
const LONGEST_MS = 2 ** 31 - 1;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\nSee --help.\n`,
    );
    return 2;
  }
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const { folder, report, totalMs, everyMs, seed, chosen } = options;
  const log = join(folder, 'turns.jsonl');
  const turns = options.isResumed ? turnsIn(log) : [];
  if (!options.isResumed && existsSync(log)) {
    process.stderr.write(
      `${folder} holds a soak already; go on with --resume, or name another --folder.\n`,
    );
    return 2;
  }
  await mkdir(folder, { recursive: true });
  await using grounds = await openGrounds(folder);
  process.env['BUDDY_FAULTS'] = '1';
  process.env['TMPDIR'] = grounds.folder;
  const ranMs = turns.at(-1)?.ranMs ?? 0; // while it was not running, no time of the soak passed
  const over = new AbortController();
  const timer = setTimeout(() => over.abort('over'), Math.max(0, totalMs - ranMs));
  const interrupt = () => over.abort('interrupted');
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const end = await soak(chosen, {
    folder,
    everyMs,
    ranMs,
    noticeWithinMs: 5_000,
    healWithinMs: 60_000,
    draw: seededRandom(seed + turns.length),
    signal: over.signal,
    onTurn: async (turn) => {
      turns.push(turn);
      await appendJsonLines(log, [turn]);
      const took = turn.healedMs === null ? '' : ` ${Math.round(turn.healedMs)} ms`;
      process.stderr.write(
        `${turns.length} ${turn.playbook}: ${turn.fault}: ${turn.outcome}${took}\n`,
      );
    },
  });
  clearTimeout(timer);
  if (over.signal.reason === 'interrupted') {
    process.stderr.write(`Interrupted after ${turns.length} faults; go on with --resume.\n`);
    return 130;
  }
  const { text, isGood } = reportOf(turns, end, { totalMs, everyMs, seed });
  await mkdir(resolve(report, '..'), { recursive: true });
  await writeFileAtomic(report, text);
  process.stdout.write(text);
  return isGood ? 0 : 1;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      days: { type: 'string' },
      every: { type: 'string', default: '3' },
      only: { type: 'string' },
      folder: { type: 'string', default: 'out/soak' },
      report: { type: 'string' },
      resume: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  const folder = resolve(values.folder);
  const days = values.days === undefined ? undefined : positive('--days', values.days);
  const minutes = positive('--minutes', values.minutes ?? '10');
  const totalMs = days === undefined ? minutes * 60_000 : days * 86_400_000;
  if (totalMs > LONGEST_MS)
    throw new Error(`a soak lasts ${Math.floor(LONGEST_MS / 86_400_000)} days at most`);
  const only = values.only?.split(',');
  const unknown = only?.find((id) => !Object.hasOwn(worlds, id));
  if (unknown !== undefined)
    throw new Error(
      `--only names "${unknown}", which has no world; there are ${Object.keys(worlds).join(', ')}`,
    );
  const chosen = Object.fromEntries(
    Object.entries(worlds).filter(([id]) => only?.includes(id) ?? true),
  );
  return {
    folder,
    report: values.report === undefined ? join(folder, 'report.json') : resolve(values.report),
    totalMs,
    everyMs: positive('--every', values.every) * 1_000,
    seed: positive('--seed', values.seed),
    isResumed: values.resume,
    chosen,
  };
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${option} takes a number above 0, not "${text}"`);
}

function turnsIn(log: string): Turn[] {
  if (!existsSync(log)) throw new Error(`${log} is not there: there is nothing to resume`);
  return (
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this program wrote it
      .map((line) => JSON.parse(line) as Turn)
  );
}

function reportOf(
  turns: readonly Turn[],
  { ledger, openAtTheEnd }: SoakEnd,
  planned: { totalMs: number; everyMs: number; seed: number },
): { text: string; isGood: boolean } {
  const drift: Drift[] = driftOf(turns);
  const decided = Object.values(ledger.outcomes).reduce((sum, count) => sum + count, 0);
  const notHealed = turns.filter(({ outcome }) => outcome !== 'restored');
  const isAccounted = ledger.pending === 0 && ledger.symptoms === decided;
  const isGood =
    turns.length > 0 &&
    notHealed.length === 0 &&
    isAccounted &&
    openAtTheEnd.length === 0 &&
    !drift.some(({ isDrifting }) => isDrifting);
  const byPlaybook = [...Map.groupBy(turns, ({ playbook }) => playbook)].map(([playbook, own]) => {
    const times = own.flatMap(({ healedMs }) => healedMs ?? []);
    return {
      playbook,
      faults: own.length,
      restored: own.filter(({ outcome }) => outcome === 'restored').length,
      noticed: own.filter(({ isNoticed }) => isNoticed).length,
      healed_ms:
        times.length === 0
          ? null
          : { p50: Math.round(median(times)), p95: Math.round(quantile(times, 0.95)) },
    };
  });
  const report = {
    passed: isGood,
    planned: {
      hours: planned.totalMs / 3_600_000,
      every_s: planned.everyMs / 1_000,
      seed: planned.seed,
    },
    ran: {
      from: turns[0] ? new Date(turns[0].at).toISOString() : null,
      to: turns.at(-1) ? new Date(turns.at(-1)?.at ?? 0).toISOString() : null,
      faults: turns.length,
      hours: (turns.at(-1)?.ranMs ?? 0) / 3_600_000,
      node: process.version,
    },
    silent_failures: ledger.symptoms - decided - ledger.pending,
    ledger,
    open_at_the_end: openAtTheEnd,
    not_healed: notHealed,
    playbooks: byPlaybook,
    drift,
  };
  return { text: `${JSON.stringify(report, null, 2)}\n`, isGood };
}
