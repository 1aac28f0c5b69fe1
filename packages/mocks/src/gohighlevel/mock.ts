import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { createExchange, type OperationTraits } from '../exchange/exchange.ts';
import type { Journal } from '../exchange/journal.ts';
import type { GoHighLevelClient, GoHighLevelContact } from './client.ts';
import { GoHighLevelEngine } from './engine.ts';
import { type GoHighLevelMockInput, GoHighLevelMockOptions } from './options.ts';

type Operation =
  | 'contacts.create'
  | 'contacts.search'
  | 'contacts.update'
  | 'contacts.get'
  | 'contacts.list'
  | 'contacts.delete'
  | 'location.get';

const OPERATIONS: Readonly<Record<Operation, OperationTraits>> = {
  'contacts.create': { isWrite: true, latency: { medianMs: 260, sigma: 0.4 } },
  'contacts.search': { isWrite: false, latency: { medianMs: 180, sigma: 0.4 } },
  'contacts.update': { isWrite: true, latency: { medianMs: 240, sigma: 0.4 } },
  'contacts.get': { isWrite: false, latency: { medianMs: 130, sigma: 0.35 } },
  'contacts.list': { isWrite: false, latency: { medianMs: 220, sigma: 0.4 } },
  'contacts.delete': { isWrite: true, latency: { medianMs: 200, sigma: 0.4 } },
  'location.get': { isWrite: false, latency: { medianMs: 120, sigma: 0.35 } },
};

export interface GoHighLevelMock {
  readonly client: GoHighLevelClient;
  /** What it holds, oldest first, without a call being made. */
  readonly contacts: () => readonly GoHighLevelContact[];
  readonly journal: Journal;
  /** Back to the beginning: the sample contacts only, no call made, faults drawn anew from the first. */
  readonly reset: () => void;
}

/**
 * A GoHighLevel location in memory.
 * @throws {InvalidInputError} {FaultRulesError} When the options do not fit.
 * @example
 * const crm = createGoHighLevelMock({ latency: 'none' });
 * const { id } = await crm.client.createContact({ email: 'ada@example.com' });
 */
export function createGoHighLevelMock(
  input: GoHighLevelMockInput = {},
  { clock = systemClock }: { clock?: Clock } = {},
): GoHighLevelMock {
  const options = parseOrThrow(GoHighLevelMockOptions, input, 'options of createGoHighLevelMock');
  const engine = new GoHighLevelEngine(options);
  const exchange = createExchange('gohighlevel', OPERATIONS, options, clock);
  const client: GoHighLevelClient = {
    createContact: (contact, callOptions = {}) =>
      exchange.call('contacts.create', callOptions, (call) => engine.create(contact, call)),
    searchContact: (by, callOptions = {}) =>
      exchange.call('contacts.search', callOptions, (call) => engine.search(by, call)),
    updateContact: (contactId, changes, callOptions = {}) =>
      exchange.call('contacts.update', callOptions, (call) =>
        engine.update(contactId, changes, call),
      ),
    getContact: (contactId, callOptions = {}) =>
      exchange.call('contacts.get', callOptions, (call) => engine.get(contactId, call)),
    listContacts: (page = {}, callOptions = {}) =>
      exchange.call('contacts.list', callOptions, (call) => engine.list(page, call)),
    deleteContact: (contactId, callOptions = {}) =>
      exchange.call('contacts.delete', callOptions, (call) => engine.delete(contactId, call)),
    testConnection: (callOptions = {}) =>
      exchange.call('location.get', callOptions, () => ({ account: options.locationId })),
  };
  return {
    client,
    contacts: () => engine.contacts(),
    journal: exchange.journal,
    reset: () => {
      engine.reset();
      exchange.reset();
    },
  };
}
