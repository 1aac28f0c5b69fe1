import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '@buddy/core';
import { builtinPlaybooks, policyFor, rollbacksMarkdown } from '@buddy/guardian';
import { stringify } from 'yaml';

/*
 * Writes what is made from the definitions of the built-in playbooks. Run it when one of them changed: `pnpm run generate`.
 */
const HEAD = `# What the guardian may do, for the gate of @buddy/governance. Made from the definitions of the built-in playbooks.
#
# Steps that only look or can be taken back run. Steps that are hard to undo run while their playbook holds a certificate of
# a rehearsal, and else wait for a person. Steps for people, steps that no playbook has, and all that somebody else asks for
# are blocked. Copy the file, and make it yours: turn an \`allow\` into an \`approve\` or a \`block\`, and the example with it.

`;

const yaml = stringify(policyFor(builtinPlaybooks), {
  aliasDuplicateObjects: false,
  lineWidth: 0,
});
await write('guardian_policies.yaml', HEAD + yaml);
await write('../../../docs/playbook-rollbacks.md', rollbacksMarkdown(builtinPlaybooks));

async function write(path: string, text: string): Promise<void> {
  const file = fileURLToPath(new URL(path, import.meta.url));
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before !== text) await writeFileAtomic(file, text);
}
