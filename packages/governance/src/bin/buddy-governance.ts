#!/usr/bin/env node
import { userInfo } from 'node:os';
import { systemClock } from '@buddy/core';
import { runCommandLine } from './command-line.ts';
import { approvalsApprove, approvalsDeny, approvalsList } from './approvals-commands.ts';
import { auditExport, auditProve, auditVerify } from './audit-commands.ts';
import { card } from './card-command.ts';
import { policyCheck, policyExplain, policyReplay, policyTest } from './policy-commands.ts';

const COMMANDS = [
  policyCheck,
  policyTest,
  policyExplain,
  policyReplay,
  auditVerify,
  auditProve,
  auditExport,
  approvalsList,
  approvalsApprove,
  approvalsDeny,
  card,
];

// Whoever reads on has seen enough (`… | head`).
process.stdout.on('error', (error) => {
  process.exit(Reflect.get(error, 'code') === 'EPIPE' ? 0 : 2);
});

process.exitCode = await runCommandLine(COMMANDS, process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  clock: systemClock,
  userName: () => userInfo().username,
});
