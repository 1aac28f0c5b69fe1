import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditedLedger, type AuditEntryBody, openLedger, verifyLog } from '@buddy/governance';
import {
  type AuditSegment,
  createReceiptGate,
  openSegmentedAuditLog,
  type ReceiptGate,
  type SegmentedAuditLog,
  type SegmentRequest,
} from '@buddy/guardian';
import { type FaultKit, openFaultKit } from '@buddy/guardian/faults';

interface GovernedSegment extends AuditSegment {
  readonly file: string;
  readonly ledger: AuditedLedger;
}

export interface AuditWorld {
  folder: string;
  audit: SegmentedAuditLog<GovernedSegment>;
  gate: ReceiptGate;
  kit: FaultKit;
  /** As after a start of the process. */
  reopen(): Promise<SegmentedAuditLog<GovernedSegment>>;
  close(): Promise<void>;
}

/** The audit log of governance in segments, with ten entries, and a gate that is open. */
export async function makeAuditWorld(): Promise<AuditWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'guardian-audit-'));
  const gate = createReceiptGate({
    guard: {
      decide: async ({ tool }) => (tool === 'crm.read' ? 'allow' : 'deny'),
      policyDigest: () => 'pinned',
      reload: async () => undefined,
    },
    canaries: {
      deny: { id: 'deny', tool: 'crm.drop', args: {} },
      allow: { id: 'allow', tool: 'crm.read', args: {} },
    },
    pinnedDigest: 'pinned',
  });
  const opened: GovernedSegment[] = [];
  const open = () =>
    openSegmentedAuditLog(
      {
        folders: [join(folder, 'main'), join(folder, 'fallback')],
        stateFile: join(folder, 'state', 'audit.json'),
        verifyEveryMs: 1, // every look
      },
      {
        openSegment: async (request) => {
          const segment = openGovernedSegment(request);
          opened.push(segment);
          return segment;
        },
        gate: gate.adapter,
      },
    );
  const audit = await open();
  for (let entry = 0; entry < 5; entry += 1) await audit.current().append();
  const kit = openFaultKit({ folder: join(folder, 'faults') });
  return {
    folder,
    audit,
    gate,
    kit,
    reopen: open,
    close: async () => {
      await kit.close();
      for (const { ledger } of opened) await ledger.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** All that there is between a ledger and a segment. What it continues is in its name, which each checkpoint is signed with. */
function openGovernedSegment({ id, folder, continues }: SegmentRequest): GovernedSegment {
  const file = join(folder, `${id}.db`);
  const origin = continues ? `buddy.test/${id}/after/${continues.root}` : `buddy.test/${id}`;
  const ledger = openLedger({ file, origin, survives: 'process_crash' });
  return {
    file,
    ledger,
    files: [file, `${file}-wal`],
    verify: (checkpoints) => verifyLog({ file, verifierKey: ledger.verifierKey, checkpoints }),
    append: () =>
      ledger.write(({ append }) => {
        const { seq } = append(tried);
        return append({ ...ended, intentSeq: seq }).seq;
      }),
    checkpoint: () => ledger.checkpoint(),
    close: () => ledger.close(),
  };
}

const whatIsTried = {
  runId: null,
  actor: { kind: 'system', id: 'guardian' },
  action: 'guardian.audit.try',
  tier: 1,
  policyDigest: '0'.repeat(64),
} as const;

const tried: AuditEntryBody = {
  ...whatIsTried,
  kind: 'intent',
  decision: 'allow',
  taskId: null,
  rule: 'guardian',
  reasonCode: 'POLICY_ALLOWED',
  rationale: 'to see whether an entry can be added',
  facts: {},
  argumentsDigest: 'none:no-arguments',
  approvalId: null,
};

const ended = {
  ...whatIsTried,
  kind: 'outcome',
  outcome: 'succeeded',
  errorCode: null,
  durationMs: 0,
  tokens: null,
  cost: null,
} as const;
