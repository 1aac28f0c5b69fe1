import { BuddyError, parseOrThrow } from '@buddy/core';
import { z } from 'zod';

export const ROLES = ['admin', 'operator', 'viewer', 'user'] as const;
export type Role = (typeof ROLES)[number];

const everybody = { admin: true, operator: true, viewer: true, user: true } as const;
const notUsers = { admin: true, operator: true, viewer: true, user: false } as const;
const operators = { admin: true, operator: true, viewer: false, user: false } as const;
const admins = { admin: true, operator: false, viewer: false, user: false } as const;

/** Who may do what, all of it: data, so that it can be shown, tested and read. What is not here, nobody may. */
export const PERMISSIONS = {
  /** The card: counts, last decisions. */
  'card.read': notUsers,
  'audit.read': notUsers,
  'audit.export': admins,
  'policy.read': notUsers,
  /** Load another policy, or go back to an older one. */
  'policy.change': admins,
  /** All requests, without what they would be done with. */
  'approvals.read': notUsers,
  /** What they would be done with. */
  'approvals.read_arguments': operators,
  /** Those that were filed by oneself or in one's name, arguments and all. */
  'approvals.read_own': everybody,
  'approvals.vote': operators,
  'approvals.cancel': operators,
  /** Take back what was filed by oneself or in one's name. */
  'approvals.cancel_own': { admin: true, operator: true, viewer: false, user: true },
  'grants.read': notUsers,
  'grants.make': operators,
  'grants.revoke': operators,
  /** The kill switch, on and off. */
  'actions.stop': operators,
  'actions.resume': operators,
  /** People, their roles, keys. */
  'people.manage': admins,
} as const satisfies Readonly<Record<string, Readonly<Record<Role, boolean>>>>;

export type Permission = keyof typeof PERMISSIONS;

/** Somebody whom the host has authenticated. Two that differ in capitals or outer spaces only are one. */
export const Person = z.strictObject({
  id: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .refine((id) => id.isWellFormed(), 'holds half a character'),
  role: z.enum(ROLES),
});
export type Person = z.output<typeof Person>;

/**
 * Whether a person may do that. False for a role or a permission that does not exist.
 * @example
 * can({ id: 'ada', role: 'operator' }, 'approvals.vote'); // true
 */
export function can(person: Person, permission: Permission): boolean {
  if (!Object.hasOwn(PERMISSIONS, permission)) return false;
  const row: Readonly<Record<string, boolean>> = PERMISSIONS[permission];
  return row[person.role] === true;
}

/** A person may not do what he asked for. */
export class PermissionDeniedError extends BuddyError {
  readonly code = 'GOVERNANCE_PERMISSION_DENIED';
  readonly permission: Permission;

  constructor(person: Person, permission: Permission) {
    super(`${person.id} is ${person.role}, and may not do this: it needs ${permission}.`);
    this.permission = permission;
  }
}

/**
 * The person, checked, when he may.
 * @throws {InvalidInputError} When it is no person.
 * @throws {PermissionDeniedError} When he may not.
 */
export function requirePermission(person: unknown, permission: Permission): Person {
  const known = parseOrThrow(Person, person, 'person');
  if (!can(known, permission)) throw new PermissionDeniedError(known, permission);
  return known;
}

/** What makes two ids one person: `Ada`, `ada ` and `ａｄａ` are. So that nobody votes twice by writing himself otherwise. */
export function personKey(id: string): string {
  return id.normalize('NFKC').trim().toLowerCase();
}
