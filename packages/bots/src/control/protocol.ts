import { z } from 'zod';
import { BotExit, BotId, BotRole } from '../bot/bot.ts';
import { BOT_STATUSES } from '../bot/status.ts';

// One JSON object a line, both ways. A connection carries one request and all its answers.

export const ControlRequest = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('start'), botId: BotId }),
  z.strictObject({ command: z.literal('stop'), botId: BotId }),
  z.strictObject({ command: z.literal('restart'), botId: BotId }),
  z.strictObject({ command: z.literal('status'), botId: BotId.optional() }),
  z.strictObject({
    command: z.literal('logs'),
    botId: BotId,
    last: z.int().nonnegative().optional(),
    follow: z.boolean().default(false),
  }),
]);
export type ControlRequest = z.output<typeof ControlRequest>;

const LogLine = z.object({
  at: z.number(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
});

const BotReport = z.object({
  id: BotId,
  role: BotRole,
  status: z.enum(BOT_STATUSES),
  statusReason: z.string().optional(),
  statusSince: z.string(),
  pid: z.int().optional(),
  restarts: z.int(),
  usage: z
    .object({
      at: z.number(),
      processes: z.int(),
      rssBytes: z.number(),
      cpuPercent: z.number().optional(),
    })
    .optional(),
  lastExit: BotExit.optional(),
  isHandedOver: z.boolean(),
});

/** An answer; the last one of a request is `done` or `failed`. */
export const ControlAnswer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('failed'), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('stopped'), botIds: z.array(z.string()) }),
  z.object({ kind: z.literal('reports'), reports: z.array(BotReport) }),
  z.object({ kind: z.literal('line'), line: LogLine }),
]);
export type ControlAnswer = z.output<typeof ControlAnswer>;

/** In bytes; more than this in one line is no request. */
export const LONGEST_REQUEST = 65_536;
