import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

const ALREADY_E164 = /^\+1\d{10}$/; // the common case here, and parsing costs microseconds

/** The number in E.164; undefined when it is none. Without a country code it is taken for one of the US. */
export function normalisePhone(phone: string): string | undefined {
  if (ALREADY_E164.test(phone)) return phone;
  const parsed = parsePhoneNumberFromString(phone, 'US');
  return parsed?.isPossible() ? parsed.number : undefined;
}

/** The address as it is kept and compared. */
export function normaliseEmail(email: string): string {
  return email.toLowerCase();
}
