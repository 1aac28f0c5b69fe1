import { readFile } from 'node:fs/promises';
import {
  builtinPlaybooks,
  guardianPolicyFile,
  policyFor,
  rollbacksMarkdown,
} from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

/** Without what a formatter may change. */
const words = (markdown: string) => markdown.replaceAll(/[\s-]+/g, ' ').trim();

describe('what is made from the definitions of the playbooks', () => {
  it('is the policy file that comes with the package', async () => {
    const written: unknown = parse(await readFile(guardianPolicyFile, 'utf8'));
    expect(written, 'run: pnpm --filter @buddy/guardian generate').toEqual(
      JSON.parse(JSON.stringify(policyFor(builtinPlaybooks))),
    );
  });

  it('is docs/playbook-rollbacks.md', async () => {
    const file = new URL('../../../docs/playbook-rollbacks.md', import.meta.url);
    const written = await readFile(file, 'utf8');
    expect(words(written), 'run: pnpm --filter @buddy/guardian generate').toBe(
      words(rollbacksMarkdown(builtinPlaybooks)),
    );
  });

  it('says of each step of each playbook how it is taken back, or why it cannot be', () => {
    for (const playbook of builtinPlaybooks) {
      const document = rollbacksMarkdown([playbook]);
      for (const step of playbook.steps) {
        const row = document.split('\n').find((line) => line.startsWith(`| \`${step.id}\` |`));
        const how = row?.split(' | ').at(-1) ?? '';
        expect(how.length, `${playbook.id}.${step.id} says nothing`).toBeGreaterThan(10);
      }
    }
  });
});
