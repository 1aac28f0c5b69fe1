import type { Playbook } from '../playbook/define-playbook.ts';
import { rollbacksMarkdown } from '../playbook/rollbacks-markdown.ts';
import { builtinPlaybooks } from '../playbooks/builtin-playbooks.ts';
import { policyFor } from '../policy/policy-for.ts';
import type { Answer, Host } from './answer.ts';
import { readConfig } from './config-module.ts';

/** The policy of @buddy/governance for the playbooks. JSON is YAML. */
export function policy(config: unknown, host: Host): Promise<Answer> {
  return ofPlaybooks(config, host, (playbooks) => {
    const json = policyFor(playbooks);
    return { text: `${JSON.stringify(json, null, 2)}\n`, json };
  });
}

/** How each playbook is taken back. */
export function rollbacks(config: unknown, host: Host): Promise<Answer> {
  return ofPlaybooks(config, host, (playbooks) => {
    const text = rollbacksMarkdown(playbooks);
    return { text, json: { markdown: text } };
  });
}

async function ofPlaybooks(
  file: unknown,
  { folder }: Host,
  make: (playbooks: readonly Playbook[]) => Pick<Answer, 'text' | 'json'>,
): Promise<Answer> {
  const { playbooks = builtinPlaybooks, close } = (await readConfig(file, folder)) ?? {};
  try {
    return { ...make(playbooks), exitCode: 0 };
  } finally {
    await close?.();
  }
}
