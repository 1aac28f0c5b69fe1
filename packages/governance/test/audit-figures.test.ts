import { DatabaseSync } from 'node:sqlite';
import { ManualClock } from '@buddy/core';
import {
  createApprovals,
  createKillSwitch,
  GOVERNANCE_MIGRATIONS,
  type LogProblemCode,
  openLedger,
  verifyLog,
} from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { ada, approving, denying, payment, SECRET } from './approvals/world.ts';
import { intent, newFile, outcome, refusal } from './audit/entries.ts';

const TAMPERINGS: readonly [what: string, sql: string, code: LogProblemCode, says: string][] = [
  [
    'the denials of a minute',
    'UPDATE audit_denials SET count = 1',
    'summary_differs',
    'denials by minute',
  ],
  ['a minute of denials', 'DELETE FROM audit_denials', 'summary_differs', 'denials by minute'],
  [
    'what waits on the card',
    'DELETE FROM audit_pending_approvals',
    'summary_differs',
    'approvals that wait',
  ],
  [
    'that an intent is open',
    'DELETE FROM audit_open_intents',
    'summary_differs',
    'intents without an outcome',
  ],
  [
    'the decisions of a tier',
    "UPDATE audit_counts SET value = 9 WHERE name = 'tier_2'",
    'summary_differs',
    'decisions by tier',
  ],
  [
    'when a block was written',
    'UPDATE audit_blocks SET latest = latest + 1',
    'summary_differs',
    'times of blocks',
  ],
  ['the kill switch', 'UPDATE controls SET is_on = 0', 'summary_differs', 'the kill switch'],
  [
    'who turned the kill switch',
    "UPDATE controls SET changed_by = 'eve'",
    'summary_differs',
    'the kill switch',
  ],
  ['the kill switch away', 'DELETE FROM controls', 'summary_differs', 'the kill switch'],
  [
    'a request to approved',
    "UPDATE approvals SET state = 'approved', via = 'cli' WHERE id = 'approval-1'",
    'approvals_differ',
    'approval-1 is approved in the table, and pending by the log',
  ],
  [
    'a denied request to one that waits',
    "UPDATE approvals SET state = 'pending', via = NULL WHERE id = 'approval-3'",
    'approvals_differ',
    'approval-3',
  ],
  [
    'what a request is for',
    "UPDATE approvals SET action = 'mail.send' WHERE id = 'approval-1'",
    'approvals_differ',
    'approval-1 is about mail.send',
  ],
  [
    'whose request it is',
    "UPDATE approvals SET actor_id = 'ada' WHERE id = 'approval-1'",
    'approvals_differ',
    'approval-1',
  ],
  [
    'a request away',
    "PRAGMA foreign_keys = OFF; DELETE FROM approvals WHERE id = 'approval-1'",
    'approvals_differ',
    'the table has 2 approvals, and the log 3',
  ],
  [
    'a vote that nobody gave',
    "INSERT INTO approval_votes SELECT approval_id, 'eve', 'eve', role, vote, via, comment, at FROM approval_votes LIMIT 1",
    'approvals_differ',
    'eve has voted',
  ],
  [
    'how many of an actor wait',
    'UPDATE approval_pending SET pending = 0',
    'approvals_differ',
    'agent-7 wait is counted wrongly',
  ],
];

describe('what is kept beside the entries', () => {
  it('is what the entries say, whatever has happened', async () => {
    const { file, verifierKey } = await writtenLog();
    expect(await verifyLog({ file, verifierKey })).toMatchObject({ isIntact: true, problems: [] });
  });

  it.each(TAMPERINGS)('is found out when somebody changes %s', async (_what, sql, code, says) => {
    const { file, verifierKey } = await writtenLog();
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
    const { problems, isIntact } = await verifyLog({ file, verifierKey });
    expect(isIntact).toBe(false);
    expect(problems.map((problem) => problem.code)).toContain(code);
    expect(problems.map(({ message }) => message).join('\n')).toContain(says);
  });
});

function approval(event: 'filed' | 'approved' | 'consumed', approvalId = 'a-1') {
  return {
    kind: 'approval',
    event,
    approvalId,
    action: 'crm.contacts.upsert',
    by: { kind: 'agent', id: 'ada' },
    via: event === 'filed' ? null : 'cli',
  } as const;
}

describe('what cannot have happened', () => {
  it.each([
    ['an approval that was never filed', [approval('approved')], 'which was never filed'],
    ['the same approval filed twice', [approval('filed'), approval('filed')], 'was filed before'],
    [
      'an approval used that nobody gave',
      [approval('filed'), approval('consumed')],
      'consumed, and it was pending',
    ],
    [
      'an approval used twice',
      [approval('filed'), approval('approved'), approval('consumed'), approval('consumed')],
      'consumed, and it was consumed',
    ],
    [
      'a call by an approval that there is not',
      [intent({ approvalId: 'a-1' })],
      'not given for it',
    ],
    [
      'a call by an approval for another action',
      [
        approval('filed'),
        approval('approved'),
        approval('consumed'),
        intent({ approvalId: 'a-1', action: 'x' }),
      ],
      'not given for it',
    ],
    [
      'two calls by one approval',
      [
        approval('filed'),
        approval('approved'),
        approval('consumed'),
        intent({ approvalId: 'a-1' }),
        intent({ approvalId: 'a-1' }),
      ],
      'which was used before',
    ],
  ] as const)('is told of: %s', async (_what, entries, says) => {
    const file = newFile();
    const ledger = openLedger({ file });
    await ledger.write(({ append }) => entries.forEach((entry) => append(entry)));
    const { verifierKey } = ledger;
    await ledger.close();
    const { problems } = await verifyLog({ file, verifierKey });
    expect(problems).toMatchObject([
      { code: 'entry_impossible', seq: entries.length - 1, message: expect.stringContaining(says) },
    ]);
  });
});

/** One request that waits, one used, one denied; a denial; an intent that is open; the kill switch on. */
async function writtenLog(): Promise<{ file: string; verifierKey: string }> {
  const file = newFile();
  const clock = new ManualClock();
  const ledger = openLedger({ file }, { clock, migrations: GOVERNANCE_MIGRATIONS });
  let nth = 0;
  const approvals = createApprovals(
    {},
    { ledger, clock, secret: SECRET, newId: () => `approval-${(nth += 1)}` },
  );
  const requests = ['1', '2', '3'].map((n) => payment({ idempotencyKey: `task-${n}` }));
  for (const request of requests)
    await ledger.write((transaction) => approvals.file(transaction, request));
  await approvals.vote('approval-2', approving(ada));
  await approvals.vote('approval-3', denying(ada));
  await clock.advance(61_000);
  await ledger.write((transaction) => {
    const [, used] = requests;
    const claimed = used && approvals.claim(transaction, used);
    if (claimed?.kind !== 'granted') throw new Error('approval-2 was approved');
    const { append } = transaction;
    const { seq } = append(intent({ action: 'payments.refund', approvalId: claimed.approvalId }));
    append(outcome(seq, { action: 'payments.refund' }));
    append(refusal());
    append(refusal());
    append(intent());
  });
  await createKillSwitch({ ledger, clock }).turnOn(ada);
  const { verifierKey } = ledger;
  await ledger.close();
  return { file, verifierKey };
}
