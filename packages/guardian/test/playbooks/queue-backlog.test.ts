import { hash } from 'node:crypto';
import { createGuardian, type Guardian, openSqliteQueue, queueBacklog } from '@buddy/guardian';
import { ManualClock } from '@buddy/core';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openQueueWorld, type QueueWorld } from '../worlds/queue.ts';
import { until } from '../worlds/ground.ts';

const { signal } = new AbortController();

describePlaybook(queueBacklog, () => openQueueWorld('here'));

describe('playbook queue_backlog', () => {
  let world: QueueWorld;
  let guardian: Guardian;
  afterEach(async () => {
    await guardian.stop();
    await world.close();
  });
  const guard = async () => {
    world = await openQueueWorld('process');
    guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000 },
      { resources: world.resources, playbooks: [queueBacklog] },
    );
    await guardian.start();
  };
  const report = async (symptom: string) => {
    const { outcome } = await guardian.report({
      resource: 'jobs',
      signal: symptom,
      certainty: 'decisive',
    });
    return outcome;
  };

  it('sets a job aside that always fails, whole, and those behind it are done', async () => {
    await guard();
    const { queue } = world;
    const poison = queue.enqueue('poison');
    for (let jobs = 0; jobs < 5; jobs += 1) queue.enqueue('good');
    await until(async () => (await queue.adapter.poisoned(signal)).includes(poison));
    expect(await queue.adapter.probe(signal)).toMatchObject({ signal: 'queue.poison' });
    expect(await report('queue.poison')).toBe('restored');
    await until(async () => (await queue.adapter.head(signal)) === undefined);
    expect(queue.deadLetters()).toMatchObject([
      {
        id: poison,
        payload: 'poison',
        payloadDigest: hash('sha256', 'poison'),
        lastError: 'this cannot be done',
      },
    ]);
    expect(queue.adapter.workers()).toBe(1);
  });

  it('adds a worker when the one that is there stands still, within the cap', async () => {
    await guard();
    const { queue, workers } = world;
    const [first] = workers;
    const state = await first?.state(signal);
    if (state?.is !== 'running') throw new Error('there is no worker');
    process.kill(state.identity.pid, 'SIGSTOP');
    for (let jobs = 0; jobs < 20; jobs += 1) queue.enqueue('good');
    await until(async () => (await queue.adapter.probe(signal)).status === 'FAILED');
    expect(await report('queue.backlog')).toBe('restored');
    expect(queue.adapter.workers()).toBe(2);
    expect(queue.adapter.workers()).toBe(queue.adapter.maxWorkers());
    await queue.adapter.setWorkers(9, signal);
    expect(queue.adapter.workers()).toBe(2);
  });
});

describe('an SQLite queue', () => {
  it('hands each job out once, and again when who has it does not come back', async () => {
    const { clock, queue } = open();
    const [first, second] = [queue.enqueue('1'), queue.enqueue('2')];
    expect(queue.claim()?.id).toBe(first);
    expect(queue.claim()?.id).toBe(second);
    expect(queue.claim()).toBeUndefined();
    await clock.advance(1_000);
    expect(queue.claim()?.id).toBe(first);
  });

  it('takes in nothing while it is paused, and says so', async () => {
    const { queue } = open();
    await queue.adapter.pauseIntake(signal);
    expect(() => queue.enqueue('1')).toThrow('takes in no jobs');
    await queue.adapter.resumeIntake(signal);
    expect(queue.enqueue('1')).toBeTypeOf('string');
  });

  it('puts a job back where it was, and does so once', async () => {
    const { queue } = open();
    const first = queue.enqueue('1');
    queue.enqueue('2');
    await queue.adapter.deadLetter(first, signal);
    await queue.adapter.deadLetter(first, signal);
    await queue.adapter.reinsert(first, signal);
    await queue.adapter.reinsert(first, signal);
    expect(queue.deadLetters()).toEqual([]);
    expect(queue.claim()).toMatchObject({ id: first, payload: '1' });
  });

  it('is well with many old jobs when they become fewer, and not when they do not', async () => {
    const { clock, queue } = open();
    for (let jobs = 0; jobs < 9; jobs += 1) queue.enqueue('burst');
    await clock.advance(61_000);
    expect(await queue.adapter.probe(signal)).toMatchObject({ signal: 'queue.backlog' });
    queue.complete(queue.claim()?.id ?? '');
    await clock.advance(1_000);
    expect(await queue.adapter.probe(signal)).toMatchObject({ status: 'HEALTHY' });
    await clock.advance(40_000);
    expect(await queue.adapter.probe(signal)).toMatchObject({ signal: 'queue.backlog' });
  });
});

function open() {
  const clock = new ManualClock();
  return { clock, queue: openSqliteQueue({ file: ':memory:', leaseMs: 1_000 }, { clock }) };
}
