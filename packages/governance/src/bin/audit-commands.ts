import { z } from 'zod';
import { exportAuditLog, proveAuditLog, verifyAuditLog } from '../audit/commands.ts';
import { defineCommand, fitForTerminal, UsageError } from './command.ts';
import { Count, Database, DATABASE } from './values.ts';

export const auditVerify = defineCommand({
  name: 'audit verify',
  about: 'Reads the whole log and says whether anything in it was changed, cut, added or moved.',
  operands: [],
  options: {
    database: DATABASE,
    key: { value: 'KEY', about: "the log's public key, name+id+base64, as you were told it" },
    'key-file': {
      value: 'FILE',
      about: 'without --key: where the key is (default: the database and .key)',
    },
    checkpoints: {
      value: 'FILE',
      isRepeatable: true,
      about:
        'checkpoints that were kept elsewhere: a signed note, or JSON Lines with a note in each',
    },
  },
  notes: `Without a checkpoint that was kept elsewhere, a log that was rewritten whole by somebody who has its key looks intact.`,
  schema: z.strictObject({
    database: Database,
    key: z.string().exactOptional(),
    'key-file': z.string().exactOptional(),
    checkpoints: z.array(z.string()).exactOptional(),
  }),
  run: async ({ database, key, 'key-file': keyFile, checkpoints }) =>
    fitForTerminal(
      await verifyAuditLog({
        file: database,
        ...(key !== undefined && { verifierKey: key }),
        ...(keyFile !== undefined && { keyFile }),
        ...(checkpoints && { checkpointFiles: checkpoints }),
      }),
    ),
});

export const auditProve = defineCommand({
  name: 'audit prove',
  about:
    'Prints a proof (c2sp.org/tlog-proof@v1) that an entry is in the log, or that it has only grown.',
  operands: [],
  options: {
    database: DATABASE,
    seq: { value: 'N', about: 'that entry N, from 0, is in the log' },
    since: { value: 'SIZE', about: 'that the log begins with the SIZE entries that it once had' },
  },
  notes: 'Either --seq or --since.',
  schema: z.strictObject({
    database: Database,
    seq: Count.exactOptional(),
    since: Count.exactOptional(),
  }),
  run: ({ database: file, seq, since }) => {
    if (seq !== undefined && since === undefined) return proveAuditLog({ file, seq });
    if (since !== undefined && seq === undefined) return proveAuditLog({ file, since });
    throw new UsageError('What is to be proved? Give either --seq or --since.');
  },
});

export const auditExport = defineCommand({
  name: 'audit export',
  about: 'Prints the entries of the log, one JSON document a line, character for character.',
  operands: [],
  options: {
    database: DATABASE,
    from: { value: 'N', about: 'the first entry (default 0)' },
    to: { value: 'N', about: 'the entry after the last (default: to the end)' },
  },
  notes: 'How many there were is said on the error stream, also with --json.',
  schema: z.strictObject({
    database: Database,
    from: Count.exactOptional(),
    to: Count.exactOptional(),
  }),
  run: ({ database: file, from, to }, host) => {
    let lines = '';
    const flush = (): void => {
      host.out(lines);
      lines = '';
    };
    const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const result = exportAuditLog({ file, ...range }, (line) => {
      lines += line;
      if (lines.length > CHUNK_CHARS) flush();
    });
    flush();
    if (result.exitCode !== 0) return result;
    host.err(result.text);
    return { ...result, text: '', json: undefined };
  },
});

const CHUNK_CHARS = 65_536;
