import { z } from 'zod';

export const RegistryOptions = z.strictObject({
  /** Where the registry is. Its folder has to exist; `.lock` beside it belongs to it. On a disk of this machine. */
  file: z.string().min(1),
  /** How long a change waits for other processes that write, in milliseconds, before it is refused. */
  lockTimeoutMs: z.int().nonnegative().default(10_000),
});
export type RegistryInput = z.input<typeof RegistryOptions>;
export type RegistryOptions = z.output<typeof RegistryOptions>;
