import type { Json } from '../wire/message.ts';
import type { CallOptions, ConnectionTest } from '../exchange/call-options.ts';
import type { GoHighLevelContactUpdate, NewGoHighLevelContact } from './contact-fields.ts';

export type GoHighLevelChannel = 'Call' | 'Email' | 'SMS' | 'WhatsApp' | 'GMB' | 'FB';

export interface GoHighLevelDndSetting {
  readonly status: 'active' | 'inactive' | 'permanent';
  readonly message?: string;
  readonly code?: string;
}

/** A contact of a location's. What the provider adds to it beyond these is handed on. */
export interface GoHighLevelContact {
  readonly id: string;
  readonly locationId: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly companyName?: string;
  readonly address1?: string;
  readonly city?: string;
  readonly state?: string;
  readonly postalCode?: string;
  readonly country?: string;
  readonly website?: string;
  readonly timezone?: string;
  readonly source?: string;
  readonly assignedTo?: string;
  /** `YYYY-MM-DD`. */
  readonly dateOfBirth?: string;
  /** Not to be disturbed, by any channel. */
  readonly dnd?: boolean;
  /** By channel: `SMS`, `Email`. */
  readonly dndSettings?: Readonly<Partial<Record<GoHighLevelChannel, GoHighLevelDndSetting>>>;
  readonly tags: readonly string[];
  /** A value is text by the description; lists and numbers have been seen. */
  readonly customFields: readonly { readonly id: string; readonly value?: Json }[];
  /** ISO 8601. */
  readonly dateAdded: string;
  /** ISO 8601. Not every answer has it. */
  readonly dateUpdated?: string;
}

export interface GoHighLevelContactList {
  /** Oldest first. */
  contacts: readonly GoHighLevelContact[];
  /** How many there are in all. */
  total: number;
}

/** One condition on a field: `email`, `dateAdded`, `tags`, `customFields.ID`, `dndSettings.SMS.status` and the like. */
export type ContactFilter =
  | {
      readonly field: string;
      readonly operator: 'eq' | 'not_eq';
      readonly value: string | number | boolean;
    }
  | {
      readonly field: string;
      readonly operator: 'contains' | 'not_contains';
      readonly value: string;
    }
  | { readonly field: string; readonly operator: 'exists' | 'not_exists' }
  | {
      readonly field: string;
      readonly operator: 'range';
      /** At least one bound; dates as ISO 8601 or ms since the epoch. */
      readonly value: {
        readonly gte?: string | number;
        readonly gt?: string | number;
        readonly lte?: string | number;
        readonly lt?: string | number;
      };
    }
  | { readonly group: 'AND' | 'OR'; readonly filters: readonly ContactFilter[] };

export interface ContactQuery {
  /** All must hold. */
  filters?: readonly ContactFilter[] | undefined;
  /** By the first, then the next; newest first when left out. */
  sort?: readonly { field: string; direction: 'asc' | 'desc' }[] | undefined;
  /** Words of name, addresses or company, at most 75 characters. */
  query?: string | undefined;
  /** 1 to 500; 20 when left out. */
  pageLimit?: number | undefined;
  /** From 1; pages end at the 10 000th contact. Not beside `searchAfter`. */
  page?: number | undefined;
  /** That of the answer before: goes on behind it, however far. */
  searchAfter?: readonly (string | number | null)[] | undefined;
}

export interface ContactSearchResult {
  contacts: readonly GoHighLevelContact[];
  /** How many there are in all. */
  total: number;
  /** Where to go on; left out when this page is empty. */
  searchAfter?: readonly (string | number | null)[];
}

export interface GoHighLevelClient {
  /**
   * Not to be repeated blindly: when the answer is lost, or is a 422, with which contacts were stored all the same
   * (`effect` is `unknown`), look with `searchContact` first.
   * @throws {ConflictError} When the e-mail address or the phone number is taken; `existingId` says by whom.
   * @throws {ValidationError} For a missing, unknown or malformed field.
   */
  createContact(contact: NewGoHighLevelContact, options?: CallOptions): Promise<GoHighLevelContact>;
  /**
   * Creates the contact, or changes the one that has its address or number. Doing it again changes nothing more.
   * @throws {ValidationError}
   */
  upsertContact(
    contact: NewGoHighLevelContact,
    options?: CallOptions,
  ): Promise<{ contact: GoHighLevelContact; isNew: boolean }>;
  /**
   * The contacts with this e-mail address or this phone number: none, one, or two when each belongs to another. Sees a
   * contact as soon as it is there, which `searchContacts` does not.
   * @throws {ValidationError} When neither is given.
   */
  searchContact(
    by: { email?: string | undefined; phone?: string | undefined },
    options?: CallOptions,
  ): Promise<readonly GoHighLevelContact[]>;
  /**
   * The contacts that fit, in pages. The provider's index lags a few seconds behind.
   * @throws {ValidationError} For a field or an operator that cannot be searched by.
   */
  searchContacts(query?: ContactQuery, options?: CallOptions): Promise<ContactSearchResult>;
  /** Changes the fields given, leaves the others. @throws {NotFoundError} {ConflictError} {ValidationError} */
  updateContact(
    contactId: string,
    changes: GoHighLevelContactUpdate,
    options?: CallOptions,
  ): Promise<GoHighLevelContact>;
  /** @throws {NotFoundError} */
  getContact(contactId: string, options?: CallOptions): Promise<GoHighLevelContact>;
  /**
   * `limit` is 1 to 100, 20 by default; `skip` 0 by default, and with `limit` at most 10 000. The provider has pages only:
   * a `skip` that is no multiple of `limit` takes two calls.
   * @throws {ValidationError}
   */
  listContacts(
    page?: { limit?: number | undefined; skip?: number | undefined },
    options?: CallOptions,
  ): Promise<GoHighLevelContactList>;
  /** @throws {NotFoundError} */
  deleteContact(contactId: string, options?: CallOptions): Promise<void>;
  /** Returns all tags that the contact has then. @throws {NotFoundError} */
  addTags(
    contactId: string,
    tags: readonly string[],
    options?: CallOptions,
  ): Promise<readonly string[]>;
  /** Returns the tags that are left. @throws {NotFoundError} */
  removeTags(
    contactId: string,
    tags: readonly string[],
    options?: CallOptions,
  ): Promise<readonly string[]>;
  testConnection(options?: CallOptions): Promise<ConnectionTest>;
}
