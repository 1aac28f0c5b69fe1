import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { createExchange, type OperationTraits } from '../exchange/exchange.ts';
import type { Journal } from '../exchange/journal.ts';
import type { GraphMailClient, MailMessage } from './client.ts';
import { GraphMailEngine, type MailFolder } from './engine.ts';
import { type GraphMailMockInput, GraphMailMockOptions } from './options.ts';

type Operation =
  | 'mail.send'
  | 'messages.list'
  | 'messages.read'
  | 'messages.search'
  | 'messages.delete'
  | 'messages.reply'
  | 'me.get';

const OPERATIONS: Readonly<Record<Operation, OperationTraits>> = {
  'mail.send': { isWrite: true, latency: { medianMs: 350, sigma: 0.45 } },
  'messages.list': { isWrite: false, latency: { medianMs: 200, sigma: 0.4 } },
  'messages.read': { isWrite: true, latency: { medianMs: 220, sigma: 0.4 } }, // it marks it read
  'messages.search': { isWrite: false, latency: { medianMs: 380, sigma: 0.5 } },
  'messages.delete': { isWrite: true, latency: { medianMs: 180, sigma: 0.4 } },
  'messages.reply': { isWrite: true, latency: { medianMs: 350, sigma: 0.45 } },
  'me.get': { isWrite: false, latency: { medianMs: 120, sigma: 0.35 } },
};

export interface GraphMailMock {
  readonly client: GraphMailClient;
  /** What it holds, newest first, without a call being made; of all folders unless told which. */
  readonly messages: (folder?: MailFolder) => readonly MailMessage[];
  readonly journal: Journal;
  /** Back to the beginning: the five sample messages only, no call made, faults drawn anew from the first. */
  readonly reset: () => void;
}

/**
 * A Microsoft Graph mailbox in memory, with five messages in it. Nothing is ever delivered.
 * @throws {InvalidInputError} {FaultRulesError} When the options do not fit.
 * @example
 * const mail = createGraphMailMock({ latency: 'none' });
 * const { messages } = await mail.client.getMessages({ filter: 'isRead eq false' }); // three of the five
 */
export function createGraphMailMock(
  input: GraphMailMockInput = {},
  { clock = systemClock }: { clock?: Clock } = {},
): GraphMailMock {
  const options = parseOrThrow(GraphMailMockOptions, input, 'options of createGraphMailMock');
  const engine = new GraphMailEngine(options, clock.now());
  const exchange = createExchange('msgraph', OPERATIONS, options, clock);
  const client: GraphMailClient = {
    sendEmail: (message, callOptions = {}) =>
      exchange.call('mail.send', callOptions, (call) => engine.send(message, call)),
    getMessages: (query = {}, callOptions = {}) =>
      exchange.call('messages.list', callOptions, (call) => engine.list(query, call)),
    readMessage: (messageId, callOptions = {}) =>
      exchange.call('messages.read', callOptions, (call) => engine.read(messageId, call)),
    searchMessages: (query, page = {}, callOptions = {}) =>
      exchange.call('messages.search', callOptions, (call) =>
        engine.search({ query, ...page }, call),
      ),
    deleteMessage: (messageId, callOptions = {}) =>
      exchange.call('messages.delete', callOptions, (call) => engine.delete(messageId, call)),
    replyToMessage: (messageId, comment, callOptions = {}) =>
      exchange.call('messages.reply', callOptions, (call) =>
        engine.reply(messageId, { comment }, call),
      ),
    testConnection: (callOptions = {}) =>
      exchange.call('me.get', callOptions, () => ({ account: options.mailbox })),
  };
  return {
    client,
    messages: (folder) => engine.messages(folder),
    journal: exchange.journal,
    reset: () => {
      engine.reset(clock.now());
      exchange.reset();
    },
  };
}
