import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Actor, countingId, type ToolContext, toolContext } from '@buddy/core';
import {
  type AuditEntry,
  createGovernance,
  type Governance,
  type GovernancePorts,
} from '@buddy/governance';
import { afterEach, beforeEach } from 'vitest';

export const ADA: Actor = { kind: 'agent', id: 'ada' };
export const OLGA = { id: 'olga', role: 'operator' } as const;
export const ROOT = { id: 'root', role: 'admin' } as const;

/** What a call is made with, unless a test says otherwise. */
export const context = (known: Partial<ToolContext> = {}): ToolContext =>
  toolContext({
    actor: ADA,
    rationale: 'asked by the plan',
    idempotencyKey: 'key-1',
    runId: 'run-1',
    ...known,
  });

export interface Gates {
  readonly folder: () => string;
  readonly policyFile: () => string;
  /** Opens the gate over this test's folder; it is closed when the test is over. */
  open(ports?: GovernancePorts, options?: { agentRationale?: 'hash' }): Promise<Governance>;
}

/** A folder with a policy for each test, and gates over it. */
export function gatesWith(policy: string): Gates {
  let folder = '';
  let opened: Governance[] = [];
  const policyFile = () => join(folder, 'policy.yaml');
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gate-'));
    await writeFile(policyFile(), policy);
    opened = [];
  });
  afterEach(async () => {
    for (const governance of opened) await governance.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    folder: () => folder,
    policyFile,
    open: async (ports = {}, options = {}) => {
      const governance = await createGovernance(
        {
          policy: policyFile(),
          database: join(folder, 'governance.db'),
          followPolicy: false,
          ...options,
        },
        { newId: countingId('approval'), ...ports },
      );
      opened.push(governance);
      return governance;
    },
  };
}

/** The log of what was called, the oldest first: `intent mail.send`, `deny mail.send INPUT_MISFIT`. */
export function linesOf(governance: Governance): string[] {
  return governance.audit.query({ limit: 1_000 }).entries.toReversed().flatMap(lineOf);
}

function lineOf(entry: AuditEntry): string[] {
  switch (entry.kind) {
    case 'intent':
      return [`intent ${entry.action} ${entry.reasonCode}`];
    case 'refusal':
      return [`${entry.decision} ${entry.action} ${entry.reasonCode}`];
    case 'outcome':
      return [`${entry.outcome} ${entry.action}`];
    case 'approval':
    case 'policy':
    case 'control':
      return [];
  }
}
