import { writeFile } from 'node:fs/promises';
import type { Governance } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { gatesWith, ROOT } from './gate/opening.ts';

const policyFor = (...actions: string[]) =>
  `version: 1\nrules:\n${actions.map((action) => `  - { id: ${action}, when: { action: ${action} }, tier: 1, allow: true }\n`).join('')}`;
const BAD = policyFor('first').replace('allow', 'alow');
const gates = gatesWith(policyFor('first'));

/** What the policy in force lets run. */
function allowed(governance: Governance): string[] {
  const actor = { kind: 'agent', id: 'ada' } as const;
  return ['first', 'second', 'third'].filter(
    (action) => governance.decide({ action, actor, input: {} }).outcome === 'allow',
  );
}

/** What the log says of policies, the oldest first. */
const changes = (governance: Governance) =>
  governance.audit
    .query({ kind: 'policy' })
    .entries.toReversed()
    .map((entry) => (entry.kind === 'policy' ? `${entry.event} by ${entry.by.id}` : ''));

describe('a policy file that is bad at the start', () => {
  it('leaves the last good policy of the ledger in force, and the log says both', async () => {
    await (await gates.open()).close();
    await writeFile(gates.policyFile(), BAD);
    const governance = await gates.open();
    expect(allowed(governance)).toEqual(['first']);
    expect(changes(governance)).toEqual([
      'loaded by policy',
      'rejected by policy',
      'loaded by policy',
    ]);
  });

  it('leaves the one in force that was rolled back to, when that came last', async () => {
    const governance = await gates.open();
    const { digest } = governance.policy.current;
    await governance.policy.load(policyFor('second'), { source: 'new', by: ROOT });
    await governance.policy.rollBack(digest, ROOT);
    await governance.close();
    await writeFile(gates.policyFile(), BAD);
    expect(allowed(await gates.open())).toEqual(['first']);
  });

  it('keeps the gate shut where there never was a good one', async () => {
    await writeFile(gates.policyFile(), BAD);
    await expect(gates.open()).rejects.toMatchObject({ code: 'GOVERNANCE_POLICY_NOT_LOADED' });
    await expect(gates.open()).rejects.toThrow('alow');
  });

  it('does not put in force what somebody with the database has made of the last good one', async () => {
    const before = await gates.open();
    await before.ledger.write(({ database }) =>
      database.prepare('UPDATE policies SET source = ?').run(policyFor('first', 'second')),
    );
    await before.close();
    await writeFile(gates.policyFile(), BAD);
    await expect(gates.open()).rejects.toThrow('was changed');
  });
});

describe('putting a policy in force', () => {
  it('is for people who may change policies, and for what watches the file', async () => {
    const governance = await gates.open();
    const { policy } = governance;
    const { digest } = policy.current;
    const denied = { code: 'GOVERNANCE_PERMISSION_DENIED' };
    const agent = JSON.parse('{"kind":"agent","id":"ada"}');
    const human = JSON.parse('{"kind":"human","id":"ada"}');
    for (const role of ['operator', 'viewer', 'user'] as const) {
      const by = { id: 'olga', role };
      await expect(policy.load(policyFor('second'), { source: 'p', by })).rejects.toMatchObject(
        denied,
      );
      await expect(policy.rollBack(digest, by)).rejects.toMatchObject(denied);
    }
    for (const by of [agent, human]) {
      await expect(policy.load(policyFor('second'), { source: 'p', by })).rejects.toMatchObject({
        code: 'CORE_INVALID_INPUT',
      });
      await expect(policy.rollBack(digest, by)).rejects.toMatchObject({
        code: 'CORE_INVALID_INPUT',
      });
    }
    expect(allowed(governance)).toEqual(['first']);
    await policy.load(policyFor('second'), { source: 'p', by: ROOT });
    await policy.load(policyFor('third'), { source: 'p', by: { kind: 'system', id: 'deploy' } });
    expect(allowed(governance)).toEqual(['third']);
    expect(changes(governance)).toEqual(['loaded by policy', 'loaded by root', 'loaded by deploy']);
  });

  it('may go back to what another process had in force, by the ledger', async () => {
    const first = await gates.open();
    const { digest } = first.policy.current;
    await first.close();
    await writeFile(gates.policyFile(), policyFor('second'));
    const second = await gates.open();
    expect(second.policy.history.map((known) => known.digest)).not.toContain(digest);
    await second.policy.rollBack(digest, ROOT);
    expect(allowed(second)).toEqual(['first']);
    expect(changes(second).at(-1)).toBe('rolled_back by root');
    await expect(second.policy.rollBack('f'.repeat(64), ROOT)).rejects.toMatchObject({
      code: 'GOVERNANCE_UNKNOWN_POLICY',
    });
  });

  it('does not go back to what somebody with the database has made of it', async () => {
    const first = await gates.open();
    const { digest } = first.policy.current;
    await first.close();
    await writeFile(gates.policyFile(), policyFor('second'));
    const second = await gates.open();
    await second.ledger.write(({ database }) =>
      database
        .prepare('UPDATE policies SET source = ? WHERE digest = ?')
        .run(policyFor('first', 'third'), digest),
    );
    await expect(second.policy.rollBack(digest, ROOT)).rejects.toMatchObject({
      code: 'GOVERNANCE_UNKNOWN_POLICY',
    });
    expect(allowed(second)).toEqual(['second']);
  });
});
