import type { z } from 'zod';

/** What is wrong with what a caller sent, one sentence for each thing to change, as class-validator words them. */
export function complaintsOf({ issues }: z.ZodError): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `property ${[...issue.path, key].join('.')} should not exist`);
    }
    return [`${issue.path.join('.')} ${issue.message}`.trim()];
  });
}
