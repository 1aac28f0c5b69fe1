import { BOT_STATUSES, type BotRegistry, type BotStatus, LEGAL_MOVES } from '@buddy/bots';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { config, newWorld } from './registry/world.ts';

/*
 * Whatever is done to a registry, by three that have one file open, at once or one after the other, it is as if each had
 * been done to a plain map in the order in which they were asked for.
 */

interface Modelled {
  description: string;
  status: BotStatus;
  revision: number;
  restarts: number;
}

type Model = Map<string, Modelled>;

type Operation =
  | { do: 'create' | 'delete'; id: string }
  | { do: 'describe'; id: string; description: string }
  | { do: 'record'; id: string; status: BotStatus; restarts: number };

const id = fc.constantFrom('ada', 'bob', 'cy');
const operations: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ do: fc.constant('create' as const), id }),
  fc.record({ do: fc.constant('delete' as const), id }),
  fc.record({ do: fc.constant('describe' as const), id, description: fc.string({ maxLength: 5 }) }),
  fc.record({
    do: fc.constant('record' as const),
    id,
    status: fc.constantFrom(...BOT_STATUSES),
    restarts: fc.nat(9),
  }),
);
/** Those of a step are asked for at once, of one registry; the next step may be another's, or a new one's. */
const step = fc.record({
  who: fc.constantFrom('first', 'second', 'new'),
  asked: fc.array(operations, { minLength: 1, maxLength: 5 }),
});

describe('a registry', () => {
  it(
    'does as a plain map would, however many have it open',
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
          const world = newWorld();
          const registries = { first: world.registry, second: world.open() };
          const model: Model = new Map();
          for (const { who, asked } of steps) {
            const registry = who === 'new' ? world.open() : registries[who];
            const outcomes = Promise.all(asked.map((one) => doTo(registry, one)));
            const expected = asked.map((one) => doToModel(model, one));
            expect(await outcomes).toEqual(expected);
            for (const reader of Object.values(registries))
              expect(await read(reader)).toEqual(model);
          }
        }),
        { numRuns: 100 },
      ),
    60_000,
  );
});

async function doTo(registry: BotRegistry, operation: Operation): Promise<string> {
  try {
    await ask(registry, operation);
    return 'done';
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'));
  }
}

async function ask(registry: BotRegistry, operation: Operation): Promise<void> {
  switch (operation.do) {
    case 'create':
      await registry.create(config(operation.id));
      return;
    case 'delete':
      await registry.delete(operation.id);
      return;
    case 'describe':
      await registry.update(operation.id, { description: operation.description });
      return;
    case 'record': {
      const { status, restarts } = operation;
      await registry.record(operation.id, { status, restarts });
      return;
    }
  }
}

function doToModel(model: Model, operation: Operation): string {
  const bot = model.get(operation.id);
  if (operation.do === 'create') {
    if (bot) return 'BOTS_DUPLICATE_BOT';
    const fresh = { description: '', status: 'registered', revision: 1, restarts: 0 } as const;
    model.set(operation.id, { ...fresh });
    return 'done';
  }
  if (!bot) return 'BOTS_UNKNOWN_BOT';
  switch (operation.do) {
    case 'delete':
      if (!['registered', 'stopped', 'crashed', 'quarantined'].includes(bot.status)) {
        return 'BOTS_BOT_RUNNING';
      }
      model.delete(operation.id);
      return 'done';
    case 'describe':
      bot.description = operation.description;
      bot.revision += 1;
      return 'done';
    case 'record':
      if (!LEGAL_MOVES[bot.status].includes(operation.status)) return 'BOTS_ILLEGAL_MOVE';
      bot.status = operation.status;
      bot.restarts = operation.restarts;
      return 'done';
  }
}

async function read(registry: BotRegistry): Promise<Model> {
  const bots = await registry.all();
  return new Map(
    bots.map(({ id: name, description, status, revision, restarts }) => [
      name,
      { description, status, revision, restarts },
    ]),
  );
}
