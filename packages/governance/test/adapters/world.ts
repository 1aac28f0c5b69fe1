import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countingId } from '@buddy/core';
import { createGovernance, type Governance } from '@buddy/governance';

const POLICY = `
version: 1
rules:
  - { id: reads, when: { action: crm.find }, tier: 1, allow: true }
  - { id: writes, when: { action: crm.update }, tier: 2, allow: true }
  - { id: mail, when: { action: mail.send }, tier: 3, approve: { from: [operator], expires: 30m } }
  - { id: reports, when: { action: report.write }, tier: 3, allow: true }
  - { id: never, when: { action: crm.wipe }, tier: 3, block: true }
  - { id: no-tier, when: { action: tierless.do }, allow: true }
`;

export interface World extends AsyncDisposable {
  readonly governance: Governance;
  /** As `governance.govern` does, with a reason for every call. */
  readonly withGate: Governance['govern'];
  /** Someone who may agree does so. */
  approve(id: string): Promise<void>;
  /** What the log says, the oldest first: `intent crm.update allow`, `outcome crm.update succeeded`. */
  log(): string[];
}

export async function openWorld(policy = POLICY): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'adapters-'));
  await writeFile(join(folder, 'policy.yaml'), policy);
  const governance = await createGovernance(
    {
      policy: join(folder, 'policy.yaml'),
      database: join(folder, 'governance.db'),
      followPolicy: false,
    },
    { newId: countingId('approval') },
  );
  return {
    governance,
    withGate: (given, options) =>
      governance.govern(given, { rationale: 'asked by the test', ...options }),
    approve: async (id) => {
      await governance.approvals.vote(id, {
        by: { id: 'olga', role: 'operator' },
        vote: 'approve',
        via: 'api',
      });
    },
    log: () => linesOf(governance),
    [Symbol.asyncDispose]: async () => {
      await governance.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function linesOf(governance: Governance): string[] {
  const { entries } = governance.audit.query({ limit: 1_000 });
  return entries.toReversed().flatMap((entry) => {
    switch (entry.kind) {
      case 'intent':
        return [`intent ${entry.action}`];
      case 'refusal':
        return [`${entry.decision} ${entry.action} ${entry.reasonCode}`];
      case 'outcome':
        return [`${entry.outcome} ${entry.action}${entry.errorCode ? ` ${entry.errorCode}` : ''}`];
      case 'approval':
      case 'policy':
      case 'control':
        return [];
    }
  });
}
