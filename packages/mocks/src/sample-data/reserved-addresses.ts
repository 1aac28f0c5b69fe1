/** Domains that belong to nobody (RFC 2606). */
const RESERVED_DOMAINS = ['example.com', 'example.org', 'example.net'] as const;

/** An address at which nobody is. @param mark Keeps people of one name apart. */
export function reservedEmail(firstName: string, lastName: string, mark: string | number): string {
  const local = `${firstName}.${lastName}`.toLowerCase().replaceAll(/[^a-z.]/g, '');
  const domain = RESERVED_DOMAINS[local.length % RESERVED_DOMAINS.length];
  return `${local}.${mark}@${domain}`;
}

/** How many different numbers there are. */
export const RESERVED_PHONES = 80_000;

/** The `index`th telephone number that nobody has, 555-01xx in each area code, in E.164. */
export function reservedPhone(index: number): string {
  const within = index % RESERVED_PHONES;
  const areaCode = 200 + Math.floor(within / 100);
  return `+1${areaCode}55501${String(within % 100).padStart(2, '0')}`;
}
