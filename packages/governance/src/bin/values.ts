import { z } from 'zod';
import { durationMs } from '../policy/measures.ts';
import type { OptionDefinition } from './command.ts';

/* Values that several commands take. */

export const DATABASE: OptionDefinition = {
  value: 'FILE',
  about: 'the database of log and approvals (default governance.db)',
};
export const Database = z.string().min(1).default('governance.db');

/** A whole number, from 0. */
export const Count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number);

/** A moment: so long ago (`30d`), or a time in ISO 8601. */
export const Moment = z.string().transform((text, context): { at: (now: number) => number } => {
  if (/^\d{1,6}[smhd]$/.test(text)) {
    const ago = durationMs(text);
    return { at: (now) => Math.max(0, now - ago) };
  }
  const time = Date.parse(text);
  if (Number.isFinite(time) && time >= 0) return { at: () => time };
  context.addIssue({ code: 'custom', message: 'must be like 30d, 12h, or 2026-11-01T00:00:00Z' });
  return z.NEVER;
});

/** Text that is JSON. */
export const Json = z.string().transform((text, context): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    context.addIssue({ code: 'custom', message: `must be JSON, such as '{"amount": 40}'` });
    return z.NEVER;
  }
});
