import { z } from 'zod';
import { PolicyDocument } from './vocabulary.ts';

/** The JSON Schema of a policy (draft 2020-12), for editors: they complete words and mark mistakes while typing. */
export function policyJsonSchema(): Record<string, unknown> {
  return {
    $id: 'governance_policies.schema.json',
    title: 'Policy of @buddy/governance',
    ...z.toJSONSchema(PolicyDocument, { io: 'input' }),
  };
}
