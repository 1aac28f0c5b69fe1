import type { OperationTraits } from '../wire/provider.ts';
import type { Operation } from './routes.ts';

const READ = { isWrite: false };
const WRITE = { isWrite: true };

/** How long each operation takes, and whether it changes anything. */
export const OPERATION_TRAITS: Readonly<Record<Operation, OperationTraits>> = {
  'me.get': { ...READ, latency: { medianMs: 120, sigma: 0.35 } },
  'mail.send': { ...WRITE, latency: { medianMs: 350, sigma: 0.45 } },
  'messages.list': { ...READ, latency: { medianMs: 200, sigma: 0.4 } },
  'messages.search': { ...READ, latency: { medianMs: 380, sigma: 0.5 } },
  'messages.count': { ...READ, latency: { medianMs: 150, sigma: 0.4 } },
  'messages.get': { ...READ, latency: { medianMs: 150, sigma: 0.4 } },
  'messages.create': { ...WRITE, latency: { medianMs: 260, sigma: 0.4 } },
  'messages.update': { ...WRITE, latency: { medianMs: 180, sigma: 0.4 } },
  'messages.delete': { ...WRITE, latency: { medianMs: 180, sigma: 0.4 } },
  'messages.send': { ...WRITE, latency: { medianMs: 350, sigma: 0.45 } },
  'messages.reply': { ...WRITE, latency: { medianMs: 350, sigma: 0.45 } },
  'messages.replyAll': { ...WRITE, latency: { medianMs: 350, sigma: 0.45 } },
  'messages.forward': { ...WRITE, latency: { medianMs: 350, sigma: 0.45 } },
  'messages.createReply': { ...WRITE, latency: { medianMs: 280, sigma: 0.4 } },
  'messages.createReplyAll': { ...WRITE, latency: { medianMs: 280, sigma: 0.4 } },
  'messages.createForward': { ...WRITE, latency: { medianMs: 280, sigma: 0.4 } },
  'messages.move': { ...WRITE, latency: { medianMs: 200, sigma: 0.4 } },
  'messages.copy': { ...WRITE, latency: { medianMs: 220, sigma: 0.4 } },
  'attachments.list': { ...READ, latency: { medianMs: 180, sigma: 0.4 } },
  'folders.list': { ...READ, latency: { medianMs: 160, sigma: 0.4 } },
  'folders.get': { ...READ, latency: { medianMs: 130, sigma: 0.35 } },
  batch: { ...WRITE, latency: { medianMs: 450, sigma: 0.45 } },
};
