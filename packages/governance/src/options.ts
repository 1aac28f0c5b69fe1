import { z } from 'zod';

export const GovernanceOptions = z.strictObject({
  /** Path of the policy, a YAML file; read again whenever it changes. */
  policy: z.string().min(1),
  /** Path of the SQLite file that holds log, approvals and limits; its key is beside it. `:memory:` for one that is not kept. */
  database: z.string().min(1),
  /** Path of the log's key file. Default: `database` and `.key`. */
  keyFile: z.string().min(1).exactOptional(),
  /** The log's name in checkpoints, like a URL without its scheme. Default: one that no other log has. */
  origin: z.string().min(1).exactOptional(),
  /** `dev` is what fast approval asks for; all else is the same. */
  mode: z.enum(['production', 'dev']).default('production'),
  /** What the log keeps of the reasons that agents give: the sentence without its secrets, or its keyed digest. */
  agentRationale: z.enum(['text', 'hash']).default('text'),
  /**
   * What a commit of the log survives: the loss of power, or only the end of the process, which spares the wait for the disk
   * at each call. The latter is for dry runs, where nothing happens that a lost entry could hide. Default `power_loss`.
   */
  survives: z.enum(['power_loss', 'process_crash']).default('power_loss'),
  /** Whether the policy's file is watched. Default true. */
  followPolicy: z.boolean().default(true),
});
export type GovernanceInput = z.input<typeof GovernanceOptions>;
export type GovernanceOptions = z.output<typeof GovernanceOptions>;
