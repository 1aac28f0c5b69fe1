import { seededRandom } from '@buddy/core';
import type { Faker } from '@faker-js/faker';
import { faker as shared } from '@faker-js/faker/locale/en';

/**
 * A faker whose data is fixed by its key; the instance that faker exports, and its seed, are left alone.
 *
 * The class is taken from that instance: the package's main entry would load all seventy languages, which takes 0.1 s.
 */
export function sampleFaker(...key: readonly (string | number)[]): Faker {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `constructor` is typed as any function
  const OwnFaker = shared.constructor as typeof Faker;
  const next = seededRandom(JSON.stringify(key));
  return new OwnFaker({
    locale: shared.rawDefinitions,
    randomizer: { next, seed: () => undefined },
  });
}
