import { resolve } from 'node:path';
import { builtinFaults, capabilities } from '../faults/builtin-faults.ts';
import { recoverFaults } from '../faults/recover-faults.ts';
import { parseOrThrow, textTable } from '@buddy/core';
import { z } from 'zod';
import { type Answer, type Host } from './answer.ts';
import { readConfig } from './config-module.ts';

const Overdue = z.coerce
  .number()
  .nonnegative()
  .transform((seconds) => seconds * 1_000)
  .optional();

/** Takes back what processes left broken that are no more. */
export async function recover(
  { config: file, folder: named, overdue }: Readonly<Record<string, unknown>>,
  { folder, clock }: Host,
): Promise<Answer> {
  const config = await readConfig(file, folder);
  try {
    const faults = [...builtinFaults, ...(config?.faults ?? [])];
    const journal = resolve(folder, String(named));
    const overdueMs = parseOrThrow(Overdue, overdue, '--overdue');
    const recovered = await recoverFaults(
      { folder: journal, ...(overdueMs !== undefined && { overdueMs }) },
      { faults, clock },
    );
    const left = recovered.filter(({ is }) => is === 'failed').length;
    const rows = recovered.map(({ id, kind, is, reason }) => [id, kind, is, reason]);
    const table = rows.length === 0 ? '' : textTable(['FAULT', 'KIND', 'IS', 'WHY'], rows);
    const none = rows.length === 0 ? `Nothing is left to take back in ${journal}.\n` : '';
    return {
      text: `${table}${none}${left === 0 ? '' : `${left} faults are still there.\n`}`,
      json: { folder: journal, faults: recovered },
      exitCode: left === 0 ? 0 : 1,
    };
  } finally {
    await config?.close?.();
  }
}

/** Which faults this machine can have. */
export async function list(): Promise<Answer> {
  const known = await capabilities();
  const rows = builtinFaults.map(({ kind, description, caps }) => {
    const capability = known[kind];
    const why = capability?.is === 'unavailable' ? capability.reason : '';
    return [kind, capability?.is, `${caps.seconds} s`, caps.bytes, description, why];
  });
  const here = rows.filter(([, is]) => is === 'available').length;
  return {
    text: `${textTable(['FAULT', 'HERE', 'AT MOST', 'BYTES', 'WHAT IT IS', 'WHY NOT'], rows)}${here} of ${rows.length} faults can be injected here.\n`,
    json: builtinFaults.map(({ kind, description, caps }) => ({
      kind,
      description,
      caps,
      capability: known[kind],
    })),
    exitCode: 0,
  };
}
