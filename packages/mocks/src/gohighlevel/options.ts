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
  /** Whether two contacts may share an e-mail address or a number; a location's own setting, off at first. */
  allowDuplicates: z.boolean().default(false),
  /** Which of the two a duplicate is looked for by first, where they belong to different contacts. */
  matchFirst: z.enum(['email', 'phone']).default('email'),
  /** How long a write stays unseen by `POST /contacts/search` and the list, in ms; a few seconds at the provider. */
  searchLagMs: z.number().nonnegative().default(0),
  /** Who may call: by private integration token. Left out: any token, with all rights. */
  tokens: z
    .record(
      z.string(),
      z.strictObject({
        /** Of whose location it is; this one's when left out. */
        locationId: z.string().optional(),
        /** What it may do; everything when left out. */
        scopes: z
          .array(z.enum(['contacts.readonly', 'contacts.write', 'locations.readonly']))
          .optional(),
      }),
    )
    .optional(),
  /** Who may get tokens: secret by client id. Left out: anybody; nobody where `tokens` says who may call. */
  oauthClients: z.record(z.string(), z.string()).optional(),
  /** How long an access token of `POST /oauth/token` is good, in ms. */
  tokenMs: z.int().positive().default(86_400_000),
});
export type GoHighLevelMockInput = z.input<typeof GoHighLevelMockOptions>;
export type GoHighLevelMockOptions = z.output<typeof GoHighLevelMockOptions>;
