import { z } from 'zod';

/** The folder of tasks that no agent took. */
export const UNASSIGNED = 'unassigned';

/** No file can have these names on Windows. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/** A worker. Its id names its folder, so it is limited to what every file system takes. */
export const AgentOptions = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, underscores or hyphens')
    .refine(
      (id) => id.toLowerCase() !== UNASSIGNED,
      `"${UNASSIGNED}" is where tasks go that nobody took`,
    )
    .refine((id) => !DEVICE.test(id), 'is the name of a device on Windows'),
  /** How many tasks it works on at once. */
  capacity: z.int().positive().max(10_000).default(1),
});
export type AgentInput = z.input<typeof AgentOptions>;
export type AgentOptions = z.output<typeof AgentOptions>;

/** `agent_0`, `agent_1`, … of capacity 1. */
export function numberedAgents(count: number): AgentOptions[] {
  return Array.from({ length: count }, (_, at) => ({ id: `agent_${at}`, capacity: 1 }));
}

export const AgentManagerOptions = z.strictObject({
  /** Default: four, `agent_0` to `agent_3`. */
  agents: z
    .array(AgentOptions)
    .min(1)
    .refine((agents) => new Set(agents.map(({ id }) => id.toLowerCase())).size === agents.length, {
      message: 'agents must have different ids, also where upper and lower case are one',
    })
    .default(() => numberedAgents(4)),
  strategy: z
    .enum(['round_robin', 'load_balanced', 'priority', 'confidence'])
    .default('load_balanced'),
  /** Share of the tasks that is dealt round-robin whatever the strategy. */
  controlShare: z.number().min(0).max(1).default(0.05),
  seed: z.union([z.number(), z.string()]).default(1),
  /** The tool for tasks that name none. Without it, such a line is a problem. */
  defaultAction: z.string().min(1).optional(),
});
export type AgentManagerInput = z.input<typeof AgentManagerOptions>;
export type AgentManagerOptions = z.output<typeof AgentManagerOptions>;
