import { GuardianMisuseError } from '../errors.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

/** A name server is silent, refuses, or lies: the next one is asked, else the last good answers are held on to. */
export const dnsFailure = definePlaybook({
  id: 'dns_failure',
  name: 'DNS failure',
  description:
    'Asks the next name server that answers rightly; when there is none, holds on to the last good answers for as long as they may be stale.',
  category: 'network',
  tier: 2,
  priority: 8,
  needs: { dns: 'dns' },
  triggers: [
    on([
      'dns.timeout',
      'dns.servfail',
      'dns.nxdomain',
      'dns.refused',
      'dns.wrong_answer',
      'dns.slow',
      'dns.failed',
    ]),
  ],
  contraindicatedBy: [],
  diagnose: async ({ resources: { dns }, signal }) => {
    const [first] = dns.current();
    const others = dns.resolvers().filter((resolver) => resolver !== first);
    const readings = await Promise.all(others.map((resolver) => dns.examine(resolver, signal)));
    const next = others.find((_resolver, index) => readings[index]?.status === 'HEALTHY') ?? null;
    const stale = dns.names().flatMap((name) => {
      const addresses = dns.lastGood(name)?.addresses;
      return addresses === undefined ? [] : [{ name, addresses }];
    });
    if (next === null && stale.length < dns.names().length) {
      throw new GuardianMisuseError(
        'No other name server answers rightly, and not every name has a good answer that is young enough: somebody has to look at the name servers.',
      );
    }
    return { next, stale };
  },
  steps: (step) => [
    step({
      id: 'hold_on_to_answers',
      description: 'Gives the last good answers, until they are too old.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['dns.pin'],
      when: ({ diagnosis }) => diagnosis.next === null,
      before: async ({ resources: { dns } }) => ({
        pins: dns.names().map((name) => ({ name, addresses: dns.pinned(name) ?? null })),
      }),
      run: async ({ resources: { dns }, diagnosis, signal }) => {
        for (const { name, addresses } of diagnosis.stale) await dns.pin(name, addresses, signal);
      },
      undo: {
        description: 'Asks the name servers again for what was not pinned before.',
        effects: ['dns.unpin', 'dns.pin'],
        run: async ({ resources: { dns }, before, signal }) => {
          for (const { name, addresses } of before.pins) {
            if (addresses === null) await dns.unpin(name, signal);
            else await dns.pin(name, addresses, signal);
          }
        },
      },
    }),
    step({
      id: 'next_resolver',
      description: 'Asks the next name server first.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['dns.useResolvers'],
      when: ({ diagnosis }) => diagnosis.next !== null,
      before: async ({ resources }) => ({ resolvers: resources.dns.current() }),
      run: async ({ resources: { dns }, diagnosis: { next }, signal }) => {
        if (next === null) return;
        const rest = dns.current().filter((resolver) => resolver !== next);
        await dns.useResolvers([next, ...rest], signal);
      },
      undo: {
        description: 'Asks the name servers in the order before.',
        effects: ['dns.useResolvers'],
        run: ({ resources, before, signal }) =>
          resources.dns.useResolvers(before.resolvers, signal),
      },
    }),
  ],
  verify: {
    checks: [
      // It asks for names that exist, and for one that nobody has.
      probeOf('dns'),
      {
        name: 'what the names resolve to accepts connections',
        run: ({ resources, signal }) => resources.dns.connects(signal),
      },
    ],
    withinMs: 3_000,
    stableForMs: 1_000,
  },
  mttrTargetMs: 5_000,
});
