import { z } from 'zod';
import { MockOptions } from '../exchange/options.ts';

export const GraphMailMockOptions = MockOptions.extend({
  /** The address of the mailbox, which is also the sender of what it sends. */
  mailbox: z.email().default('buddy@example.com'),
  /** The name that goes with it. */
  displayName: z.string().default('Buddy'),
  /** The bearer tokens that are let in; any, when left out. */
  accessTokens: z.array(z.string().min(1)).readonly().optional(),
});
export type GraphMailMockInput = z.input<typeof GraphMailMockOptions>;
export type GraphMailMockOptions = z.output<typeof GraphMailMockOptions>;
