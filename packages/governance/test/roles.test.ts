import { can, PERMISSIONS, type Permission, Person, personKey, ROLES } from '@buddy/governance';
import { describe, expect, it } from 'vitest';

/** Written down once more, by role: both have to be changed for a right to change. */
const RIGHTS: Readonly<Record<(typeof ROLES)[number], readonly string[]>> = {
  admin: [
    'actions.resume',
    'actions.stop',
    'approvals.cancel',
    'approvals.cancel_own',
    'approvals.read',
    'approvals.read_arguments',
    'approvals.read_own',
    'approvals.vote',
    'audit.export',
    'audit.read',
    'card.read',
    'grants.make',
    'grants.read',
    'grants.revoke',
    'people.manage',
    'policy.change',
    'policy.read',
  ],
  operator: [
    'actions.resume',
    'actions.stop',
    'approvals.cancel',
    'approvals.cancel_own',
    'approvals.read',
    'approvals.read_arguments',
    'approvals.read_own',
    'approvals.vote',
    'audit.read',
    'card.read',
    'grants.make',
    'grants.read',
    'grants.revoke',
    'policy.read',
  ],
  viewer: [
    'approvals.read',
    'approvals.read_own',
    'audit.read',
    'card.read',
    'grants.read',
    'policy.read',
  ],
  user: ['approvals.cancel_own', 'approvals.read_own'],
};

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the matrix
const permissions = Object.keys(PERMISSIONS) as Permission[];
const cells = ROLES.flatMap((role) => permissions.map((permission) => [role, permission] as const));

describe('the matrix of roles', () => {
  it.each(cells)('says of %s and %s what is written down', (role, permission) => {
    expect(can({ id: 'ada', role }, permission)).toBe(RIGHTS[role].includes(permission));
  });

  it('has no right that is not written down', () => {
    const all = new Set(Object.values(RIGHTS).flat());
    expect([...all].toSorted()).toEqual(permissions.toSorted());
  });

  it.each(['root', 'ADMIN', '', 'constructor', '__proto__', 'toString'])(
    'gives a role %j, which does not exist, no right',
    (role) => {
      for (const permission of permissions) {
        // @ts-expect-error: no such role
        expect(can({ id: 'eve', role }, permission)).toBe(false);
      }
    },
  );

  it.each(['constructor', '__proto__', 'approvals.*', ''])(
    'gives nobody the right %j, which does not exist',
    (permission) => {
      // @ts-expect-error: no such permission
      expect(can({ id: 'ada', role: 'admin' }, permission)).toBe(false);
    },
  );
});

describe('a person', () => {
  it.each([
    { id: '', role: 'admin' },
    { id: '  ', role: 'admin' },
    { id: 'x'.repeat(201), role: 'admin' },
    { id: '\uD800', role: 'admin' },
    { id: 'ada', role: 'root' },
    { id: 'ada' },
    { id: 7, role: 'admin' },
    { id: 'ada', role: 'admin', isRoot: true },
  ])('is not %j', (value) => {
    expect(Person.safeParse(value).success).toBe(false);
  });

  it('is the same however the id is written', () => {
    expect(personKey(' Ada ')).toBe(personKey('ａｄａ'));
    expect(personKey('ada')).not.toBe(personKey('adam'));
  });
});
