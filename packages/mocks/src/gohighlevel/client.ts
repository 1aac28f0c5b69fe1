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
  readonly customFields: readonly { readonly id: string; readonly value: string }[];
  /** ISO 8601. */
  readonly dateAdded: string;
  /** ISO 8601. */
  readonly dateUpdated: string;
}

export interface GoHighLevelContactList {
  /** Oldest first. */
  contacts: readonly GoHighLevelContact[];
  /** How many there are in all. */
  total: number;
}

export interface GoHighLevelClient {
  /**
   * @throws {ConflictError} When the e-mail address or the phone number is taken; `existingId` says by whom.
   * @throws {ValidationError} For a missing, unknown or malformed field.
   */
  createContact(contact: NewGoHighLevelContact, options?: CallOptions): Promise<GoHighLevelContact>;
  /**
   * The contacts with this e-mail address or this phone number: none, one, or two when each belongs to another.
   * @throws {ValidationError} When neither is given.
   */
  searchContact(
    by: { email?: string | undefined; phone?: string | undefined },
    options?: CallOptions,
  ): Promise<readonly GoHighLevelContact[]>;
  /** Changes the fields given, leaves the others. @throws {NotFoundError} {ConflictError} {ValidationError} */
  updateContact(
    contactId: string,
    changes: GoHighLevelContactUpdate,
    options?: CallOptions,
  ): Promise<GoHighLevelContact>;
  /** @throws {NotFoundError} */
  getContact(contactId: string, options?: CallOptions): Promise<GoHighLevelContact>;
  /** `limit` is 1 to 100, 20 by default; `skip` 0 by default. @throws {ValidationError} */
  listContacts(
    page?: { limit?: number | undefined; skip?: number | undefined },
    options?: CallOptions,
  ): Promise<GoHighLevelContactList>;
  /** @throws {NotFoundError} */
  deleteContact(contactId: string, options?: CallOptions): Promise<void>;
  testConnection(options?: CallOptions): Promise<ConnectionTest>;
}
