import { definePlaybook, irreversible, on, type PlaybookInput, probeOf } from '@buddy/guardian';
import { describe, expect, expectTypeOf, it } from 'vitest';

const face = {
  id: 'service_crashed',
  name: 'Service crashed',
  description: 'Starts a service that ended by itself.',
  category: 'process',
  priority: 9,
  needs: { service: 'service', disk: 'disk' },
  triggers: [on('process.exited')],
  contraindicatedBy: [],
  mttrTargetMs: 10_000,
} as const;
const verify = { checks: [probeOf('service')], withinMs: 1_000 } as const;

type Respawn = PlaybookInput<typeof face.needs, { ours: boolean }>['steps'];
const respawn: Respawn = (step) => [
  step({
    id: 'respawn',
    description: 'Starts it again.',
    tier: 3,
    timeoutMs: 1_000,
    effects: ['service.start'],
    run: ({ resources, signal }) => resources.service.start(signal),
    undo: {
      description: 'Stops what was started.',
      effects: ['service.stop'],
      run: ({ resources, signal }) => resources.service.stop(signal),
    },
  }),
];
const diagnose = async () => ({ ours: true });

describe('definePlaybook', () => {
  it('tells each step what its playbook needs, what the diagnosis found, and what was so before', () => {
    definePlaybook({
      ...face,
      tier: 2,
      verify,
      diagnose: async ({ resources, signal }) => {
        expectTypeOf(resources.disk.space(signal)).resolves.toHaveProperty('freeBytes');
        // @ts-expect-error: a role that the playbook does not need
        expect(() => resources.queue.workers()).toBeTypeOf('function');
        return { ours: true };
      },
      steps: (step) => [
        step({
          id: 'prune',
          description: 'Throws away what may be.',
          tier: 2,
          timeoutMs: 1_000,
          effects: ['disk.reclaim'],
          when: ({ diagnosis }) => diagnosis.ours,
          before: async () => ({ paths: ['a.log.1'] }),
          run: ({ resources, before, diagnosis, signal }) => {
            expectTypeOf(diagnosis).toEqualTypeOf<{ ours: boolean }>();
            return resources.disk.reclaim(before.paths, signal);
          },
          undo: {
            description: 'Puts it back.',
            effects: ['disk.putBack'],
            run: ({ resources, before, signal }) => resources.disk.putBack(before.paths, signal),
          },
        }),
      ],
    });
  });

  it('does not compile a step without an undo or a reason why there is none', () => {
    const input = { ...face, tier: 2 as const, verify, diagnose };
    expect(() =>
      definePlaybook({
        ...input,
        steps: (step) => [
          // @ts-expect-error: undo is missing
          step({
            id: 'prune',
            description: 'Throws away what may be.',
            tier: 2,
            timeoutMs: 1_000,
            effects: ['disk.reclaim'],
            run: ({ resources, signal }) => resources.disk.reclaim([], signal),
          }),
        ],
      }),
    ).toThrow('undo');
    definePlaybook({
      ...input,
      steps: (step) => [
        step({
          id: 'release',
          description: 'Gives the ballast up.',
          tier: 2,
          timeoutMs: 1_000,
          effects: ['disk.releaseBallast'],
          run: ({ resources, signal }) => resources.disk.releaseBallast(signal),
          undo: irreversible('ballast that is gone is gone', {
            description: 'Makes it again.',
            effects: ['disk.armBallast'],
            run: ({ resources, signal }) => resources.disk.armBallast(0, signal),
          }),
        }),
      ],
    });
  });

  it('does not compile a change without effects, nor with one that no role has', () => {
    const input = { ...face, tier: 2 as const, verify, diagnose };
    expect(() =>
      definePlaybook({
        ...input,
        steps: (step) => [
          // @ts-expect-error: a step of tier 2 has effects
          step({
            id: 'quiet',
            description: 'Says nothing.',
            tier: 2,
            timeoutMs: 1_000,
            effects: [],
            run: async () => undefined,
            undo: irreversible('nothing to take back'),
          }),
        ],
      }),
    ).toThrow('a change has effects');
    expect(() =>
      definePlaybook({
        ...input,
        steps: (step) => [
          step({
            id: 'stranger',
            description: 'Declares what is not there.',
            tier: 2,
            timeoutMs: 1_000,
            // @ts-expect-error: disks are not started
            effects: ['disk.start'],
            run: async () => undefined,
            undo: irreversible('nothing to take back'),
          }),
        ],
      }),
    ).toThrow('declares "disk.start", which is no effect of any of its roles');
  });

  it('compiles no playbook whose success nobody checks', () => {
    expect(() =>
      definePlaybook({
        ...face,
        tier: 3,
        diagnose,
        steps: respawn,
        // @ts-expect-error: at least one check
        verify: { checks: [], withinMs: 1_000 },
      }),
    ).toThrow('checks');
  });

  it('lets tier 4 have instructions, and no code', () => {
    const page = definePlaybook({
      ...face,
      tier: 4,
      verify,
      diagnose,
      steps: (step) => [
        step({
          id: 'page',
          description: 'A person looks.',
          tier: 4,
          instructions: ['Compare the log with the copy in the archive.'],
        }),
      ],
    });
    expect(page.steps[0]).not.toHaveProperty('run');
    expect(() =>
      definePlaybook({
        ...face,
        tier: 4,
        verify,
        diagnose,
        steps: (step) => [
          // @ts-expect-error: no code in tier 4
          step({
            id: 'act',
            description: 'Acts.',
            tier: 4,
            instructions: ['Look.'],
            run: async () => undefined,
          }),
        ],
      }),
    ).toThrow('it has no code');
  });

  it.each([
    [{ id: 'Service Crashed' }, 'must read like service_crashed'],
    [{ priority: 11 }, 'priority'],
    [{ tier: 2 }, 'its highest step is of tier 3; say 3'],
    [{ mttrTargetMs: 0 }, 'mttrTargetMs'],
    [{ triggers: [] }, 'triggers'],
    [{ needs: { service: 'toaster' } }, 'needs'],
  ])('refuses %o with a message that says why', (wrong, message) => {
    const input = { ...face, tier: 3 as const, verify, diagnose, steps: respawn };
    expect(() => definePlaybook(Object.assign(input, wrong))).toThrow(message);
  });

  it('gives two texts two hashes, and one text one', () => {
    const input = { ...face, tier: 3 as const, verify, diagnose, steps: respawn };
    const { codeHash } = definePlaybook(input);
    expect(definePlaybook(input).codeHash).toBe(codeHash);
    expect(definePlaybook({ ...input, diagnose: async () => ({ ours: false }) }).codeHash).not.toBe(
      codeHash,
    );
  });

  it('knows which roles it takes away for a while', () => {
    const { interruptedRoles } = definePlaybook({
      ...face,
      tier: 3,
      verify,
      diagnose,
      steps: respawn,
    });
    expect(interruptedRoles).toEqual(['service']);
  });
});
