import { z } from 'zod';
import { createWireCaller, type WireCallerParts } from '../client/caller.ts';
import { type AccessToken, type Credentials, renewedToken } from '../client/credentials.ts';
import type { CallOptions } from '../exchange/call-options.ts';
import { addToGoHighLevel } from './add-to-gohighlevel.ts';
import { errorReader, requestIdOf } from './answer-errors.ts';
import { CurrentSessionAnswer, ExtractionAnswer, SearchAnswer, SessionAnswer } from './answers.ts';
import type { MployerClient, MployerSession } from './client.ts';

export interface Account {
  readonly email: string;
  readonly password: string;
}

/** The client, over whatever transport. With an account it logs in by itself, whenever there is no session. */
export function createWireClient(
  parts: Omit<WireCallerParts, 'provider' | 'errorOf' | 'requestIdOf' | 'credentials' | 'secrets'>,
  account?: Account,
): MployerClient & { readonly forget: () => void } {
  let session: AccessToken | undefined; // the client's memory, as a browser keeps a cookie
  const passwords = new Set(account ? [account.password] : []);

  const remembered: Credentials = {
    token: () => session?.accessToken,
    secrets: () => (session ? [session.accessToken] : []),
  };
  const credentials = account
    ? renewedToken(async () => tokenOf(await open(account)), { clock: parts.clock })
    : remembered;

  const caller = createWireCaller({
    ...parts,
    provider: 'mployer',
    credentials,
    secrets: () => [...passwords],
    errorOf: errorReader(() => parts.clock.now()),
    requestIdOf,
  });

  const open = async (
    { email, password }: Account,
    options?: CallOptions,
  ): Promise<MployerSession> => {
    passwords.add(password);
    try {
      return await caller.call(
        {
          operation: 'session.create',
          method: 'POST',
          path: '/v1/session',
          json: { email, password },
          isWrite: false,
          isAnonymous: true,
          answer: SessionAnswer,
        },
        options,
      );
    } finally {
      if (password !== account?.password) passwords.delete(password);
    }
  };

  return {
    login: async (email, password, options) => {
      const opened = await open({ email, password }, options);
      session = tokenOf(opened);
      return opened;
    },
    searchContacts: async (filters, { page, pageSize, cursor, sort, ...options } = {}) =>
      caller.call(
        {
          operation: 'contacts.search',
          method: 'POST',
          path: '/v1/contacts/search',
          json: { filters, page, pageSize, cursor, sort },
          isWrite: false,
          answer: SearchAnswer,
        },
        options,
      ),
    extractContacts: async (searchResults, options) =>
      caller.call(
        {
          operation: 'contacts.extract',
          method: 'POST',
          path: '/v1/contacts/extract',
          json: { contactIds: searchResults.map(({ id }) => id) },
          isWrite: false,
          answer: ExtractionAnswer,
        },
        options,
      ),
    addToGoHighLevel,
    testConnection: async (options) => {
      const { user } = await caller.call(
        {
          operation: 'session.get',
          method: 'GET',
          path: '/v1/session',
          isWrite: false,
          answer: CurrentSessionAnswer,
        },
        options,
      );
      return { account: user.email };
    },
    logout: async (options) => {
      const ended = session;
      await caller.call(
        {
          operation: 'session.delete',
          method: 'DELETE',
          path: '/v1/session',
          isWrite: false,
          answer: z.unknown(),
        },
        options,
      );
      if (session === ended) session = undefined;
    },
    forget: () => {
      session = undefined;
    },
  };
}

function tokenOf({ session: { token, expiresAt } }: MployerSession): AccessToken {
  return { accessToken: token, expiresAt: Date.parse(expiresAt) };
}
