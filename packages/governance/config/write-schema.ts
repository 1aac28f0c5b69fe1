import { writeFileAtomic } from '@buddy/core';
import { policyJsonSchema } from '@buddy/governance';

/*
 * Writes the schema that editors use, from the vocabulary. Run it when the vocabulary changed:
 *   node --conditions=@buddy/source config/write-schema.ts && oxfmt config
 */
await writeFileAtomic(
  new URL('governance_policies.schema.json', import.meta.url).pathname,
  `${JSON.stringify(policyJsonSchema(), null, 2)}\n`,
);
