import { isRunnable, type Playbook } from './define-playbook.ts';
import type { Step } from './step.ts';

/**
 * How each step of each playbook is taken back, as a document: made from the definitions, so that it cannot say otherwise.
 * @example
 * await writeFile('playbook-rollbacks.md', rollbacksMarkdown([...builtinPlaybooks, mine]));
 */
export function rollbacksMarkdown(playbooks: readonly Playbook[]): string {
  const sorted = playbooks.toSorted((a, b) => b.priority - a.priority || a.id.localeCompare(b.id));
  return `# How playbooks are rolled back

Made from the definitions; do not edit. When a healing does not prove itself, is aborted, or an operator asks
(\`buddy-guardian rollback RUN\`), the steps that were begun are taken back, the last first. Tier 1 looks, 2 can be taken
back, 3 is costly or hard to undo, 4 is for people.

${sorted.map(sectionOf).join('\n')}`;
}

function sectionOf(playbook: Playbook): string {
  const { id, description, tier, priority, mttrTargetMs, steps } = playbook;
  const rows = steps.map((step) =>
    [`\`${step.id}\``, String(step.tier), cell(step.description), cell(undoOf(step))].join(' | '),
  );
  return `## ${id}

${sentence(description)} Tier ${tier}, priority ${priority}, restored within ${mttrTargetMs / 1_000} s.

| step | tier | what it does | how it is taken back |
| --- | --- | --- | --- |
${rows.map((row) => `| ${row} |\n`).join('')}`;
}

function undoOf(step: Step): string {
  if (!isRunnable(step)) return `Nothing to take back: ${step.instructions.join(' ')}`;
  if (!('irreversible' in step.undo)) {
    return `${sentence(step.undo.description)}${effects(step.undo.effects)}`;
  }
  const { irreversible, compensate } = step.undo;
  const reason = `**Cannot be:** ${sentence(irreversible)}`;
  if (!compensate) return reason;
  return `${reason} Instead: ${sentence(compensate.description)}${effects(compensate.effects)}`;
}

function effects(names: readonly string[]): string {
  return ` (${names.map((name) => `\`${name}\``).join(', ')})`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** A cell of a table ends at a bar and at the end of the line. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
