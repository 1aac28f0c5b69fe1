import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { createExchange, type OperationTraits } from '../exchange/exchange.ts';
import type { Journal } from '../exchange/journal.ts';
import { addToGoHighLevel } from './add-to-gohighlevel.ts';
import type { MployerClient } from './client.ts';
import { MployerEngine } from './engine.ts';
import { type MployerMockInput, MployerMockOptions } from './options.ts';

type Operation = 'session.create' | 'contacts.search' | 'contacts.extract' | 'session.delete';

const OPERATIONS: Readonly<Record<Operation, OperationTraits>> = {
  // A session more or less is no harm, so a lost answer leaves nothing to find out.
  'session.create': { isWrite: false, latency: { medianMs: 300, sigma: 0.4 } },
  'contacts.search': { isWrite: false, latency: { medianMs: 400, sigma: 0.5 } },
  'contacts.extract': { isWrite: false, latency: { medianMs: 350, sigma: 0.5 } },
  'session.delete': { isWrite: false, latency: { medianMs: 120, sigma: 0.35 } },
};

export interface MployerMock {
  readonly client: MployerClient;
  /** How many sessions have neither ended nor expired. */
  readonly openSessions: () => number;
  readonly journal: Journal;
  /** Back to the beginning: nobody logged in, no call made, faults drawn anew from the first. */
  readonly reset: () => void;
}

/**
 * Mployer in memory, after a contract of our own: there is no public API.
 * @throws {InvalidInputError} {FaultRulesError} When the options do not fit.
 * @example
 * const { client } = createMployerMock({ latency: 'none' });
 * await client.login('ada@example.com', 'secret');
 * const { results } = await client.searchContacts({ state: 'CA' }); // 9 people, all in California
 */
export function createMployerMock(
  input: MployerMockInput = {},
  { clock = systemClock }: { clock?: Clock } = {},
): MployerMock {
  const options = parseOrThrow(MployerMockOptions, input, 'options of createMployerMock');
  const engine = new MployerEngine(options);
  const exchange = createExchange('mployer', OPERATIONS, options, clock);
  let token: string | undefined; // the client's memory, as a browser keeps a cookie
  const client: MployerClient = {
    login: async (email, password, callOptions = {}) => {
      const opened = await exchange.call('session.create', callOptions, (call) =>
        engine.login({ email, password }, call),
      );
      token = opened.session.token;
      return opened;
    },
    searchContacts: (filters, callOptions = {}) =>
      exchange.call('contacts.search', callOptions, (call) => engine.search(token, filters, call)),
    extractContacts: (searchResults, callOptions = {}) =>
      exchange.call('contacts.extract', callOptions, (call) =>
        engine.extract(token, { contactIds: searchResults.map(({ id }) => id) }, call),
      ),
    addToGoHighLevel,
    logout: async (callOptions = {}) => {
      const ended = token;
      await exchange.call('session.delete', callOptions, () => engine.logout(ended));
      if (token === ended) token = undefined;
    },
  };
  return {
    client,
    openSessions: () => engine.openSessions(clock.now()),
    journal: exchange.journal,
    reset: () => {
      token = undefined;
      engine.reset();
      exchange.reset();
    },
  };
}
