import {
  approvalsFor,
  auditFor,
  auditLogOf,
  can,
  CONTROLS_MIGRATION,
  createKillSwitch,
  createPolicyHolder,
  listApprovals,
  PERMISSIONS,
  type Permission,
  type Person,
  ROLES,
} from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { openWorld, payment } from './approvals/world.ts';

/** One request of somebody else, one in this person's own name, and one grant. */
async function openFace(person: Person) {
  const world = openWorld();
  await world.ledger.write(({ database }) => database.exec(CONTROLS_MIGRATION.sql));
  const foreign = await world.file(
    payment({ demand: { ...payment().demand, from: [person.role] } }),
  );
  const actor = { kind: 'agent', id: 'agent-8', onBehalfOf: person.id } as const;
  const own = await world.file(payment({ idempotencyKey: 'task-2', actor }));
  const root: Person = { id: 'root', role: 'admin' };
  const grant = await world.approvals.grant(root, GRANT);
  const audit = auditFor(auditLogOf(world.ledger), person);
  const { ledger, clock } = world;
  return {
    ...world,
    person,
    foreign: foreign.approvalId,
    own: own.approvalId,
    grantId: grant.id,
    audit,
    mine: approvalsFor(world.approvals, person),
    killSwitch: createKillSwitch({ ledger, clock }),
  };
}
type Face = Awaited<ReturnType<typeof openFace>>;

const GRANT = {
  action: 'payments.refund',
  actor: { kind: 'agent', id: 'agent-7' },
  toolDigest: 'tool-v1',
  args: { amount: { max: 40 } },
  calls: 3,
  ttlMs: 60_000,
} as const;

/** What each right lets somebody do: resolves when it was done, rejects or says undefined when it was not. */
const DONE_BY: readonly [Permission, string, (face: Face) => unknown][] = [
  ['card.read', 'read the card', ({ audit, clock }) => audit.card(clock.now())],
  ['audit.read', 'count entries', ({ audit }) => audit.size() > 0],
  ['audit.read', 'read an entry', ({ audit }) => audit.entry(0)],
  ['audit.read', 'read a record', ({ audit }) => audit.record(0)],
  ['audit.read', 'query the log', ({ audit }) => audit.query({ kind: 'approval' })],
  ['audit.read', 'see the last checkpoint', ({ audit }) => audit.checkpoint()],
  ['audit.read', 'prove an entry', ({ audit }) => audit.proveInclusion(0)],
  ['audit.read', 'prove that the log has only grown', ({ audit }) => audit.proveConsistency(1)],
  ['audit.export', 'export the log', ({ audit }) => [...audit.records()][0]],
  ['audit.export', 'export a part of it', ({ audit }) => [...audit.records({ from: 1, to: 2 })][0]],
  [
    'approvals.read',
    "list other people's requests",
    ({ mine, foreign }) => mine.list().approvals.find(({ id }) => id === foreign),
  ],
  [
    'approvals.read',
    "count other people's requests",
    ({ mine }) => mine.groups().find(({ actor }) => actor.id === 'agent-7'),
  ],
  ['approvals.read', "see somebody else's request", ({ mine, foreign }) => mine.get(foreign)],
  [
    'approvals.read',
    "see what happened to somebody else's request",
    ({ mine, foreign }) => mine.stepsOf(foreign)[0],
  ],
  [
    'approvals.read_arguments',
    "see what somebody else's request is about",
    ({ mine, foreign }) => mine.contentOf(foreign),
  ],
  [
    'approvals.read_own',
    'list his own requests',
    ({ mine, own }) => mine.list().approvals.find(({ id }) => id === own),
  ],
  [
    'approvals.read_own',
    'count his own requests',
    ({ mine }) => mine.groups().find(({ actor }) => actor.id === 'agent-8'),
  ],
  ['approvals.read_own', 'see his own request', ({ mine, own }) => mine.get(own)],
  [
    'approvals.read_own',
    'see what his own request is about',
    ({ mine, own }) => mine.contentOf(own),
  ],
  [
    'approvals.vote',
    'approve',
    ({ mine, foreign }) => mine.vote(foreign, { vote: 'approve', via: 'api' }),
  ],
  [
    'approvals.vote',
    'deny',
    ({ mine, foreign }) => mine.vote(foreign, { vote: 'deny', via: 'api' }),
  ],
  [
    'approvals.cancel',
    "take somebody else's request back",
    ({ mine, foreign }) => mine.cancel(foreign, { via: 'api' }),
  ],
  [
    'approvals.cancel_own',
    'take his own request back',
    ({ mine, own }) => mine.cancel(own, { via: 'api' }),
  ],
  ['grants.read', 'see grants', ({ approvals, person }) => approvals.grants(person)[0]],
  ['grants.make', 'grant', ({ approvals, person }) => approvals.grant(person, GRANT)],
  [
    'grants.revoke',
    'revoke a grant',
    async ({ approvals, person, grantId }) => {
      await approvals.revokeGrant(person, grantId);
      return true;
    },
  ],
  [
    'policy.change',
    'load a policy',
    ({ person }) => heldPolicies().load(POLICY, { source: 'p', by: person }),
  ],
  [
    'policy.change',
    'go back to a policy',
    async ({ person }) => {
      const policies = heldPolicies();
      await policies.load(POLICY, { source: 'p' });
      return policies.rollBack(policies.current.digest, person);
    },
  ],
  ['actions.stop', 'switch all actions off', ({ killSwitch, person }) => killSwitch.turnOn(person)],
  [
    'actions.resume',
    'switch them on again',
    async ({ killSwitch, person }) => {
      await killSwitch.turnOn({ id: 'root', role: 'admin' });
      return killSwitch.turnOff(person);
    },
  ],
];

const POLICY = 'version: 1\nrules:\n  - { id: a, when: { action: x }, allow: true }\n';

function heldPolicies() {
  return createPolicyHolder({ record: () => undefined });
}

/** What no face of this package does for a person: a host asks `can` before it does it. */
const ASKED_BY_HOSTS = ['people.manage', 'policy.read'];

const cases = ROLES.flatMap((role) =>
  DONE_BY.map(([permission, what, act]) => ({ role, permission, what, act })),
);

describe('the faces that a person is given', () => {
  it.each(cases)(
    'let $role $what exactly where the matrix has $permission',
    async ({ role, permission, act }) => {
      const person: Person = { id: 'ute', role };
      await using face = await openFace(person);
      const done = await Promise.resolve()
        .then(() => act(face))
        .then(
          (value) => value !== undefined,
          (error: unknown) => {
            expect(error).toMatchObject({
              code: expect.stringMatching(/^GOVERNANCE_(PERMISSION_DENIED|VOTE_REFUSED)$/),
            });
            return false;
          },
        );
      expect(done).toBe(can(person, permission));
    },
  );

  it('are held to every right there is, but those that hosts ask for', () => {
    const held = new Set<string>(DONE_BY.map(([permission]) => permission));
    expect([...held, ...ASKED_BY_HOSTS].toSorted()).toEqual(Object.keys(PERMISSIONS).toSorted());
  });

  it('show a user no request but his own in the list of the command line', async () => {
    await using face = await openFace({ id: 'ute', role: 'user' });
    const { text } = listApprovals(face.approvals, { person: face.person });
    expect(text).toContain(face.own);
    expect(text).not.toContain(face.foreign);
  });
});
