import { opaqueUuid } from '../sample-data/opaque-uuid.ts';
import type { Json } from '../wire/message.ts';
import type { StoredRecipient } from './stored-message.ts';

/** Whose mailbox it is. */
export class Owner {
  readonly recipient: StoredRecipient;
  readonly #id: string;

  constructor(seed: number | string, mailbox: string, displayName: string) {
    this.recipient = { emailAddress: { name: displayName, address: mailbox } };
    this.#id = opaqueUuid(seed, 'msgraph', 'user', mailbox);
  }

  /** Whether a path means this user: by `me`, address or id. */
  isNamed(user: string): boolean {
    return user === 'me' || user === this.#id || this.isAt(user);
  }

  isAt(address: string): boolean {
    return address.toLowerCase() === this.recipient.emailAddress.address.toLowerCase();
  }

  /** As `GET /me` answers. */
  json(): Readonly<Record<string, Json>> {
    const { name, address } = this.recipient.emailAddress;
    const [givenName = name, ...rest] = name.split(' ');
    return {
      businessPhones: [],
      displayName: name,
      givenName,
      jobTitle: null,
      mail: address,
      mobilePhone: null,
      officeLocation: null,
      preferredLanguage: null,
      surname: rest.length > 0 ? rest.join(' ') : null,
      userPrincipalName: address,
      id: this.#id,
    };
  }
}
