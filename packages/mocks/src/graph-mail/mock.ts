import { parseOrThrow, seededRandom, systemClock } from '@buddy/core';
import { createWireCaller } from '../client/caller.ts';
import { fixedToken } from '../client/credentials.ts';
import type { MockPorts } from '../exchange/is-admitted.ts';
import { createWireExchange, type Mock } from '../wire/exchange.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';
import type { GraphMailClient } from './client.ts';
import { errorOfAnswer, requestIdOf } from './errors-of-answers.ts';
import { MAIL_MESSAGE_PROPERTIES, MailMessage } from './mail-message.ts';
import type { MailFolder } from './mailbox.ts';
import { messageJson } from './message-json.ts';
import { type GraphMailMockInput, GraphMailMockOptions } from './options.ts';
import { GraphMailProvider } from './provider.ts';
import { graphMailClientOver } from './wire-client.ts';

export interface GraphMailMock extends Mock {
  /** Tries once: how a call goes is for whoever makes it to see. */
  readonly client: GraphMailClient;
  /** What it holds, newest first, without a call being made; of all folders unless told which. */
  readonly messages: (folder?: MailFolder) => readonly MailMessage[];
}

const MOCK_TOKEN = 'buddy-mock-access-token';

/**
 * A Microsoft Graph mailbox in memory, with five messages in it. Nothing is ever delivered.
 * @throws {InvalidInputError} {FaultRulesError} When the options do not fit.
 * @example
 * const mail = createGraphMailMock({ latency: 'none' });
 * const { messages } = await mail.client.getMessages({ filter: 'isRead eq false' }); // three of the five
 */
export function createGraphMailMock(
  input: GraphMailMockInput = {},
  { clock = systemClock, isAdmitted }: MockPorts = {},
): GraphMailMock {
  const options = parseOrThrow(GraphMailMockOptions, input, 'options of createGraphMailMock');
  const provider = new GraphMailProvider(options, clock.now(), isAdmitted);
  const { transport, ...mock } = createWireExchange(provider, options, clock);
  const caller = createWireCaller({
    provider: 'msgraph',
    transport,
    baseUrl: `${VENDOR_ORIGINS.msgraph}/v1.0`,
    clock,
    random: seededRandom(options.seed),
    retries: 'none',
    credentials: fixedToken(options.accessTokens?.[0] ?? MOCK_TOKEN),
    errorOf: (answer, call, isWrite) => errorOfAnswer(answer, call, { isWrite, now: clock.now() }),
    requestIdOf,
  });
  return {
    ...mock,
    client: graphMailClientOver(caller),
    messages: (folder) => {
      const folderId = folder === undefined ? undefined : provider.folderId(folder);
      return provider.view().messages(folderId).map(mailMessageOf);
    },
  };
}

/** As a client is given it. */
function mailMessageOf(message: Parameters<typeof messageJson>[0]): MailMessage {
  const wanted = { wantsImmutableIds: false, bodyType: undefined };
  return MailMessage.parse(messageJson(message, wanted, { select: MAIL_MESSAGE_PROPERTIES }));
}
