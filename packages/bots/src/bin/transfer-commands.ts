import { z } from 'zod';
import { createBotRegistry } from '../registry/registry.ts';
import type { ImportedEntry, ImportReport } from '../registry/transfer/import.ts';
import { toSnakeCase } from '../registry/file/snake-case.ts';
import { type CommandResult, defineCommand, UsageError } from './command.ts';
import { tellProblems } from './registry-commands.ts';
import { openRegistry, readText, Registry, REGISTRY } from './values.ts';

export const exportBots = defineCommand({
  name: 'export',
  about: 'Prints what was written about all bots, fit for git and for import.',
  operands: [],
  options: { registry: REGISTRY },
  notes:
    'Always JSON, in an order that never changes. Entries that cannot be read are named on the error stream.',
  schema: z.strictObject({ registry: Registry }),
  run: async ({ registry: file }, host): Promise<CommandResult> => {
    const registry = await openRegistry(file, host);
    host.out(await registry.export());
    const problems = await registry.problems();
    host.err(tellProblems(problems));
    return { text: '', json: undefined, exitCode: problems.length > 0 ? 1 : 0 };
  },
});

export const importBots = defineCommand({
  name: 'import',
  about:
    'Takes bots and templates out of a file into the registry; what the file does not name stays.',
  operands: ['file'],
  options: {
    registry: REGISTRY,
    'dry-run': { about: 'only say what would become of each entry' },
    replace: { about: 'write anew what is there already and differs' },
    skip: { about: 'leave what is there already and differs' },
    'start-over': { about: 'begin anew where the registry is damaged, or was set aside' },
  },
  notes: `Without --replace or --skip, one entry that is there already and differs keeps all of it out.
An entry that is malformed is named, with its path and the reason; the others are taken.`,
  schema: z.strictObject({
    registry: Registry,
    file: z.string(),
    'dry-run': z.boolean().default(false),
    replace: z.boolean().default(false),
    skip: z.boolean().default(false),
    'start-over': z.boolean().default(false),
  }),
  run: async ({ registry: registryFile, file, replace, skip, ...rest }, host) => {
    const { 'dry-run': isDryRun, 'start-over': isAnew } = rest;
    if (replace && skip) throw new UsageError('Either --replace or --skip, not both.');
    if (isAnew && isDryRun) throw new UsageError('Either --start-over or --dry-run, not both.');
    const text = await readText(file);
    const registry = createBotRegistry({ file: registryFile }, { clock: host.clock });
    if (isAnew) await registry.startOver();
    const conflicts = replace ? 'replace' : skip ? 'skip' : 'refuse';
    return toldOf(await registry.import(text, { isDryRun, conflicts, source: file }));
  },
});

function toldOf(report: ImportReport): CommandResult {
  const { isDryRun, added, replaced, skipped, conflicts, unchanged, problems } = report;
  const would = isDryRun ? 'would be ' : '';
  const refused = conflicts.length > 0 ? 'Refused, for these are there already and differ:\n' : '';
  const text = [
    ...added.map((entry) => lineOf(`${would}added`, entry)),
    ...replaced.map((entry) => lineOf(`${would}replaced`, entry)),
    ...skipped.map((entry) => lineOf(`${would}skipped`, entry)),
    refused,
    ...conflicts.map((entry) => lineOf('conflict', entry)),
    `${added.length} added, ${replaced.length} replaced, ${skipped.length} skipped, ${unchanged.length} the same${isDryRun ? '; nothing was changed, this is a dry run' : ''}.\n`,
    tellProblems(problems),
  ].join('');
  const isClean = conflicts.length === 0 && problems.length === 0;
  return { text, json: toSnakeCase(report), exitCode: isClean ? 0 : 1 };
}

function lineOf(verdict: string, { kind, name, differences }: ImportedEntry): string {
  const changes = differences.map(
    ({ path, before, after }) => `    ${path}: ${shown(before)} -> ${shown(after)}\n`,
  );
  return `${verdict}  ${kind} ${name}\n${changes.join('')}`;
}

function shown(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}
