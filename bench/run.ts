import { fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { BENCHES } from './benches.ts';
import { type Bench, type Figure, isMet } from './measure/figure.ts';
import { renderTable } from './measure/table.ts';

const HELP = `Measures Buddy's promised figures, with rivals beside it.

  npx -y pnpm@12 bench [NAME...] [--json] [--strict] [--help]

Without a name, all run that are not marked "only by name":
${BENCHES.map(({ name, title, isOptIn }) => `  ${name.padEnd(12)} ${title}${isOptIn ? ' (only by name)' : ''}`).join('\n')}

  --json    prints the results as JSON instead of tables
  --strict  ends with 1 when a figure is missed
  --help    prints this

The results are also written to bench/results/.
`;

interface Result {
  name: string;
  title: string;
  /** How long it took, in seconds. */
  seconds: number;
  figures: readonly (Figure & { isMet: boolean | null })[];
  /** Why there are no figures; null when there are. */
  error: string | null;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error; // piped into `head`, say
});
process.exitCode = await main(process.argv.slice(2));

/** @returns 0 when all was measured, 1 when a bench broke (or missed, if strict), 2 for arguments that make no sense. */
async function main(args: string[]): Promise<number> {
  const asked = readArguments(args);
  if (typeof asked === 'string') {
    process.stderr.write(`${asked}\n\n${HELP}`);
    return 2;
  }
  const { help, json, strict, benches } = asked;
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const startedAt = new Date();
  const results: Result[] = [];
  for (const bench of benches) {
    process.stderr.write(`${bench.name} ...\n`);
    const result = await measure(bench);
    results.push(result);
    if (!json) process.stdout.write(`\n${renderTable(result)}\n`);
  }
  const record = { at: startedAt.toISOString(), machine: machine(), results };
  const file = await writeResults(record);
  if (json) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  else process.stdout.write(`${verdict(results)}\n${machine().summary}\nWritten to ${file}\n`);
  const isBroken = results.some(({ error }) => error !== null);
  return isBroken || (strict && missedIn(results).length > 0) ? 1 : 0;
}

interface Arguments {
  help: boolean;
  json: boolean;
  strict: boolean;
  benches: readonly Bench[];
}

/** @returns What was asked for, or what is wrong with it. */
function readArguments(args: string[]): Arguments | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
      },
    });
    const known = new Set(BENCHES.map(({ name }) => name));
    const unknown = positionals.find((name) => !known.has(name));
    if (unknown !== undefined)
      return `No bench is named ${unknown}; there are ${[...known].join(', ')}`;
    const benches = BENCHES.filter(({ name, isOptIn }) =>
      positionals.length > 0 ? positionals.includes(name) : !isOptIn,
    );
    return { ...values, benches };
  } catch (error) {
    if (error instanceof TypeError) return error.message; // an option that is not known
    throw error;
  }
}

/** Runs a bench in a process of its own, so that one does not warm up, or litter, for the next. */
async function measure({ name, title }: Bench): Promise<Result> {
  const startedAt = performance.now();
  const child = fork(new URL('./run-bench.ts', import.meta.url), [name], {
    execArgv: ['--conditions=@buddy/source', '--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  let figures: readonly Figure[] = [];
  // Of our own making: run-bench.ts sends nothing else.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  child.on('message', (message) => (figures = message as readonly Figure[]));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    name,
    title,
    seconds: (performance.now() - startedAt) / 1000,
    figures: figures.map((figure) => ({
      ...figure,
      isMet: figure.target ? isMet(figure.target, figure.measured) : null,
    })),
    error: code === 0 ? null : `it ended with ${code}; what went wrong is told above`,
  };
}

function missedIn(results: readonly Result[]): string[] {
  return results.flatMap(({ name, figures }) =>
    figures.filter((figure) => figure.isMet === false).map((figure) => `${name}: ${figure.name}`),
  );
}

function verdict(results: readonly Result[]): string {
  const missed = missedIn(results);
  const promised = results
    .flatMap(({ figures }) => figures)
    .filter((figure) => figure.isMet !== null);
  const broken = results.filter(({ error }) => error !== null).map(({ name }) => name);
  return [
    `${promised.length - missed.length} of ${promised.length} figures met.`,
    ...missed.map((name) => `MISSED  ${name}`),
    ...broken.map((name) => `BROKEN  ${name}`),
  ].join('\n');
}

function machine() {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const cores = availableParallelism();
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  const { version: node, platform, arch } = process;
  return {
    summary: `${cores} x ${model}, ${memoryGb} GB, ${platform} ${arch}, Node ${node}`,
    model,
    cores,
    memoryGb,
    platform,
    arch,
    node,
  };
}

async function writeResults(record: { at: string }): Promise<string> {
  const folder = new URL('./results/', import.meta.url);
  const name = `${record.at.replaceAll(':', '-')}.json`;
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(name, folder), `${JSON.stringify(record, null, 2)}\n`);
  return `bench/results/${name}`;
}
