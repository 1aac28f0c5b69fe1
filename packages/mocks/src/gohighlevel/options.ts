import { z } from 'zod';
import { MockOptions } from '../exchange/options.ts';
import { DEFAULT_LOCATION_ID } from './sample-contacts.ts';

export const GoHighLevelMockOptions = MockOptions.extend({
  /** The sub-account whose contacts these are. */
  locationId: z.string().min(1).default(DEFAULT_LOCATION_ID),
  /** How many sample contacts there are at first; `sampleContacts` tells which. */
  contacts: z.int().min(0).max(50_000).default(0),
  /** What a missing contact answers: 400 was observed, the original system expected 404. */
  notFoundStatus: z.literal([400, 404]).default(400),
  /** What a missing field answers: 422 is the provider's style, the original system expected 400. */
  missingFieldStatus: z.literal([400, 422]).default(422),
});
export type GoHighLevelMockInput = z.input<typeof GoHighLevelMockOptions>;
export type GoHighLevelMockOptions = z.output<typeof GoHighLevelMockOptions>;
