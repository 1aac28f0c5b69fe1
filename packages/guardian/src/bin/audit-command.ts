import { textTable } from '@buddy/core';
import type { AuditedPlaybook, PlaybookAudit } from '../audit/audit.ts';
import { auditPlaybooks } from '../audit/audit.ts';
import { builtinPlaybooks } from '../playbooks/builtin-playbooks.ts';
import { type Answer, type Host } from './answer.ts';
import { readConfig } from './config-module.ts';

export async function audit(config: unknown, { folder }: Host): Promise<Answer> {
  const {
    playbooks = builtinPlaybooks,
    resources = [],
    close,
  } = (await readConfig(config, folder)) ?? {};
  try {
    const result = await auditPlaybooks({ playbooks, resources });
    return { text: textOf(result), json: result, exitCode: result.isGood ? 0 : 1 };
  } finally {
    await close?.();
  }
}

function textOf({ playbooks, isGood }: PlaybookAudit): string {
  const table = textTable(
    ['PLAYBOOK', 'PRIORITY', 'TIER', 'TARGET', 'ARMED FOR', 'TRIED DRY ON', 'VERDICT'],
    playbooks.map((playbook) => [
      playbook.id,
      playbook.priority,
      playbook.tier,
      `${playbook.mttrTargetMs / 1_000} s`,
      playbook.armedFor.join(' '),
      playbook.dryRuns.map(({ resource }) => resource ?? 'a stand-in').join(' '),
      playbook.isGood ? 'good' : 'NOT GOOD',
    ]),
  );
  const good = playbooks.filter((playbook) => playbook.isGood).length;
  const verdict = `${good} of ${playbooks.length} playbooks are good.\n`;
  return `${table}${playbooks.map(remarksOn).join('')}${isGood ? '' : '\n'}${verdict}`;
}

function remarksOn({ id, problems, notArmedFor, dryRuns }: AuditedPlaybook): string {
  const remarks = [
    ...problems,
    ...dryRuns.flatMap((run) => run.problems.map((each) => `tried dry: ${each}`)),
    ...dryRuns
      .filter(({ notCalledFor }) => notCalledFor.length > 0)
      .map(
        ({ resource, notCalledFor }) =>
          `${notCalledFor.join(', ')}: not called for on ${resource ?? 'a stand-in'}, so not tried`,
      ),
    ...notArmedFor.map(
      ({ resource, missing }) => `not armed for ${resource}: nobody is its ${missing.join(', ')}`,
    ),
  ];
  return remarks.map((remark) => `  ${id}: ${remark}\n`).join('');
}
