import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@buddy/core';
import { appendCheckpointsTo, openLedger } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { intent, newFolder, outcome } from './audit/entries.ts';

const PLANTED = 'xyzzy-planted-4711';

describe('what is planted in arguments, reasons and prompts', () => {
  it('is nowhere on the disk, when it goes in the way that the gate has it go', async () => {
    const folder = newFolder();
    const checkpoints = join(folder, 'checkpoints.jsonl');
    const ledger = openLedger(
      { file: join(folder, 'governance.db') },
      { publish: appendCheckpointsTo(checkpoints, systemClock) },
    );
    const { seq } = await ledger.write(({ append }) =>
      append(
        intent({
          argumentsDigest: ledger.digestOf({ to: PLANTED, body: [PLANTED] }),
          rationale: ledger.rationaleOf(`Signs in with password=${PLANTED} as asked`, {
            mode: 'text',
          }),
        }),
      ),
    );
    await ledger.write(({ append }) => append(outcome(seq)));
    await ledger.write(({ append }) =>
      append(
        intent({ rationale: ledger.rationaleOf(`The model said ${PLANTED}`, { mode: 'hash' }) }),
      ),
    );
    const smuggled = ledger.write(({ append }) =>
      // @ts-expect-error: entries have no such field
      append({ ...intent(), prompt: PLANTED }),
    );
    await expect(smuggled).rejects.toMatchObject({ code: 'CORE_INVALID_INPUT' });
    expect(filesWith(folder, PLANTED)).toEqual([]); // with the write-ahead log still there
    expect(filesWith(folder, 'as asked')).toContain('governance.db-wal'); // it would have been found
    await ledger.close();
    expect(filesWith(folder, PLANTED)).toEqual([]);
    expect(filesWith(folder, 'as asked')).toEqual(['governance.db']);
    expect(readFileSync(checkpoints, 'utf8').trim().split('\n')).toHaveLength(2); // with the first entry, and at the end
  });
});

function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text));
}
