import type { FailureDescription } from '@buddy/core';
import type { CallOptions, ConnectionTest } from '../exchange/call-options.ts';
import type { GoHighLevelClient } from '../gohighlevel/client.ts';
import type { MployerFilters, SENIORITIES } from './filters.ts';

export type Seniority = (typeof SENIORITIES)[number];

export interface MployerCompany {
  readonly name: string;
  /** NAICS code. */
  readonly industry: string;
  readonly employeeCount: number;
  readonly city: string;
  readonly state: string;
  readonly renewalMonth: number;
  readonly carrier: string;
}

/** A person as a search shows them: whether there is an address, not which. */
export interface MployerSearchResult {
  readonly id: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly title: string;
  readonly seniority: Seniority;
  readonly company: MployerCompany;
  readonly hasEmail: boolean;
  readonly hasPhone: boolean;
}

/** A person as `extractContacts` gives them. */
export interface MployerContact extends MployerSearchResult {
  readonly email?: string;
  /** E.164. */
  readonly phone?: string;
}

export interface MployerSession {
  session: {
    token: string;
    /** ISO 8601. */
    expiresAt: string;
  };
  user: { id: string; email: string };
}

export interface MployerSearchPage {
  results: readonly MployerSearchResult[];
  page: {
    number: number;
    size: number;
    totalResults: number;
    totalPages: number;
    nextCursor: string | null;
  };
}

export interface MployerExtraction {
  /** In the order asked for. */
  contacts: readonly MployerContact[];
  unavailable: readonly { id: string; reason: string }[];
  /** Of the account, per UTC day; whoever is extracted counts, each time. */
  quota: {
    limit: number;
    used: number;
    remaining: number;
    /** ISO 8601. */
    resetsAt: string;
  };
}

export interface MployerSearchOptions extends CallOptions {
  /** From 1, the default. */
  page?: number | undefined;
  /** 1 to 100; 25 when left out. */
  pageSize?: number | undefined;
  /** That of the answer before, in place of `page`. */
  cursor?: string | undefined;
  sort?:
    | {
        field: 'firstName' | 'lastName' | 'title' | 'companyName' | 'employeeCount';
        direction: 'asc' | 'desc';
      }
    | undefined;
}

export interface TransferOptions extends CallOptions {
  /** How many people are on their way at a time; 4 when left out. */
  concurrency?: number | undefined;
}

/** What became of one contact on its way into the CRM. */
export type ContactTransfer =
  | { status: 'created' | 'updated'; contact: MployerContact; contactId: string }
  | { status: 'skipped'; contact: MployerContact; reason: 'unchanged'; contactId: string }
  | { status: 'skipped'; contact: MployerContact; reason: 'no e-mail and no phone' }
  | { status: 'failed'; contact: MployerContact; error: FailureDescription };

export interface TransferReport {
  /** One for each contact handed in, in that order. */
  transfers: readonly ContactTransfer[];
  created: number;
  updated: number;
  skipped: number;
  failed: number;
}

/** Mployer has no public API: this contract is ours, and not verified against the vendor. */
export interface MployerClient {
  /**
   * Opens a session of 30 minutes, which the later calls of this client use.
   * @throws {ProviderAuthError} When the credentials are not accepted.
   */
  login(email: string, password: string, options?: CallOptions): Promise<MployerSession>;
  /**
   * Finds people; the more filters, the fewer: 10 less the number of filters, but at least 3.
   * @throws {ProviderAuthError} Without a session, or when it has expired.
   * @throws {ValidationError} For an unknown filter or value.
   */
  searchContacts(
    filters: MployerFilters,
    options?: MployerSearchOptions,
  ): Promise<MployerSearchPage>;
  /** Fetches addresses of up to 100 people that a search found. @throws {ProviderAuthError} {ValidationError} */
  extractContacts(
    searchResults: readonly { id: string }[],
    options?: CallOptions,
  ): Promise<MployerExtraction>;
  /**
   * Brings each contact into the CRM, a few at a time: creates, or updates what is there. Doing it again changes nothing
   * more. One that fails does not stop the rest; only an aborted signal makes it reject.
   */
  addToGoHighLevel(
    contacts: readonly MployerContact[],
    gohighlevel: GoHighLevelClient,
    options?: TransferOptions,
  ): Promise<TransferReport>;
  /** Whose session it is. @throws {ProviderAuthError} Without a session, or when it has expired. */
  testConnection(options?: CallOptions): Promise<ConnectionTest>;
  /** Ends the session; without one it does nothing. */
  logout(options?: CallOptions): Promise<void>;
}
