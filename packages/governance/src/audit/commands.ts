import { readFileSync } from 'node:fs';
import { describeFailure } from '@buddy/core';
import type { CommandResult } from '../policy/commands.ts';
import { openAuditLog } from './audit-log.ts';
import { readRecords, type ExportRange } from './export-log.ts';
import { openLedgerKeys } from './keys.ts';
import { type LogVerification, verifyLog, type VerifyLogPorts } from './verify-log.ts';

/*
 * `buddy-governance audit …`, without the process around it. Exit codes: 0 as it should be, 1 the log is not, 2 it could not
 * be looked at.
 */

export interface AuditVerifyRequest {
  /** The ledger's database. */
  file: string;
  /** `name+id+base64`. Default: that of the key file beside the log, which proves less. */
  verifierKey?: string;
  /** Where the key file is when it is not beside the log. */
  keyFile?: string;
  /** Files with checkpoints that were kept outside: a signed note each, or JSON Lines with a `note` in each line. */
  checkpointFiles?: readonly string[];
}

/** `audit verify`. */
export async function verifyAuditLog(
  { file, verifierKey, keyFile = `${file}.key`, checkpointFiles = [] }: AuditVerifyRequest,
  ports: VerifyLogPorts = {},
): Promise<CommandResult> {
  try {
    const key = verifierKey ?? openLedgerKeys(keyFile, { mayMake: false }).signer.verifierKey;
    const checkpoints = checkpointFiles.flatMap((path) => notesIn(readFileSync(path, 'utf8')));
    const verification = await verifyLog({ file, verifierKey: key, checkpoints }, ports);
    return {
      text: describe(verification, verifierKey === undefined),
      json: { ...verification, root: Buffer.from(verification.root).toString('base64') },
      exitCode: verification.isIntact ? 0 : 1,
    };
  } catch (error) {
    return failed(error);
  }
}

export type AuditProveRequest =
  /** That an entry is in the log. */
  | { file: string; seq: number }
  /** That the log has only grown since it had so many entries. */
  | { file: string; since: number };

/** `audit prove`: its text is the proof, to be written to a file as it is. */
export function proveAuditLog(request: AuditProveRequest): CommandResult {
  try {
    using log = openAuditLog(request.file);
    if ('since' in request) {
      const proof = log.proveConsistency(request.since);
      return { text: proof, json: { proof }, exitCode: 0 };
    }
    const record = log.record(request.seq);
    const proof = log.proveInclusion(request.seq);
    return { text: proof, json: { proof, record }, exitCode: 0 };
  } catch (error) {
    return failed(error);
  }
}

export interface AuditExportRequest extends ExportRange {
  file: string;
}

/** `audit export`: hands each line to `write`, and tells at the end how many they were. */
export function exportAuditLog(
  { file, ...range }: AuditExportRequest,
  write: (line: string) => void,
): CommandResult {
  try {
    let entries = 0;
    for (const record of readRecords(file, range)) {
      write(`${record}\n`);
      entries += 1;
    }
    return { text: `${entries} entries exported.\n`, json: { entries }, exitCode: 0 };
  } catch (error) {
    return failed(error);
  }
}

function notesIn(content: string): string[] {
  if (!content.trimStart().startsWith('{')) return [content];
  return content
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const value: unknown = JSON.parse(line);
      const note: unknown =
        typeof value === 'object' && value !== null && Reflect.get(value, 'note');
      return String(note);
    });
}

function describe(
  { isIntact, size, checkpoints, vouchedFor, problems }: LogVerification,
  isOwnKey: boolean,
): string {
  const { stored, outside } = checkpoints;
  const held = `${size} entries, held against ${stored} stored and ${outside} outside checkpoints`;
  const lines = isIntact ? [`Intact: ${held}.`] : [`NOT intact: ${held}.`];
  lines.push(...problems.map(({ code, message }) => `  ${code}: ${message}`));
  if (outside === 0) {
    lines.push(
      'No outside checkpoint was given: a log rewritten whole by somebody with its key would not show.',
    );
  } else if (vouchedFor < size) {
    lines.push(`Entries from ${vouchedFor} on are newer than the outside checkpoints.`);
  }
  if (isOwnKey)
    lines.push('The key was taken from beside the log; give the one that you were told.');
  return `${lines.join('\n')}\n`;
}

function failed(error: unknown): CommandResult {
  const { code, message } = describeFailure(error);
  return { text: `${message}\n`, json: { error: { code, message } }, exitCode: 2 };
}
