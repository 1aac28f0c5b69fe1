import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  agentStuck,
  type AgentAdapter,
  type AgentProgram,
  createGuardian,
  createSupervisedAgent,
  type Guardian,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { type AgentWorld, openAgentWorld } from '../worlds/agent.ts';
import { until } from '../worlds/ground.ts';

const { signal } = new AbortController();
const program = new URL('../children/stubborn-agent.ts', import.meta.url).pathname;

describePlaybook(agentStuck, () => openAgentWorld('loop'));

describe('playbook agent_stuck', () => {
  let guardian: Guardian | undefined;
  let close: () => Promise<unknown>;
  afterEach(async () => {
    await guardian?.stop();
    await close();
  });
  const guard = async (adapter: AgentAdapter) => {
    guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000, autonomy: { 3: 'auto' } },
      { resources: [{ id: 'agent', adapter }], playbooks: [agentStuck] },
    );
    await guardian.start();
    return guardian;
  };
  const open = async (...options: Parameters<typeof openAgentWorld>): Promise<AgentWorld> => {
    const world = await openAgentWorld(...options);
    close = () => world.close();
    return world;
  };
  it('hears of a loop as it happens, and goes on from the checkpoint with a hint', async () => {
    const { agent, program: scripted } = await open('loop');
    const outcome = outcomeOf(await guard(agent));
    const { step } = scripted;
    scripted.script = 'loop'; // it may be healed before a witness of the fault had looked
    expect(await outcome).toBe('restored');
    expect(scripted.step).toBeGreaterThanOrEqual(step);
    expect(scripted.hints).toEqual(['', expect.stringContaining('do something else')]);
  });

  it('sees silence, and ends a turn by force that does not obey: it is not heard any more', async () => {
    const { agent, program: scripted, fault } = await open('silent', { isDeaf: true });
    const own = await guard(agent);
    const steps: string[] = [];
    own.events.on('stepChanged', ({ step }) => steps.push(`${step.step} ${step.state}`));
    await fault.apply(signal);
    await until(async () => (await agent.probe(signal)).status === 'FAILED');
    const { outcome } = await own.report({
      resource: 'agent',
      signal: 'agent.silent',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('restored');
    expect(steps).toContain('end_by_force done');
    expect(scripted.hints).toEqual(['', expect.stringContaining('smaller steps')]);
  });

  it('leaves an agent alone that waits for a quota', async () => {
    const { agent, fault } = await open('silent');
    const own = await guard(agent);
    await fault.apply(signal);
    const { outcome } = await own.report({
      resource: 'agent',
      signal: 'agent.silent',
      certainty: 'decisive',
      conditions: [{ name: 'quota_exhausted' }],
    });
    expect(await outcome).toBe('contraindicated');
    expect((await agent.progress(signal)).isTurning).toBe(true);
  });

  it('kills the process of an agent that stands still, and begins another at its checkpoint', async () => {
    const pids: number[] = [];
    const inProcess: AgentProgram = {
      begin: ({ checkpoint, report }) => {
        const child = fork(program, [JSON.stringify(checkpoint ?? 0)]);
        pids.push(child.pid ?? 0);
        child.on('message', ({ step }: { step: number }) => report.progressed(String(step), step));
        return {
          done: once(child, 'exit').then(() => false),
          kill: async () => void child.kill('SIGKILL'),
        };
      },
    };
    const supervised = createSupervisedAgent(
      { silentMs: 200, obeyWithinMs: 50 },
      { program: inProcess },
    );
    const { adapter } = supervised;
    close = () => adapter.end(signal);
    await supervised.start();
    await until(async () => Number((await adapter.progress(signal)).token) > 2);
    process.kill(pids[0] ?? 0, 'SIGSTOP');
    await until(async () => (await adapter.probe(signal)).status === 'FAILED');
    const before = Number((await adapter.progress(signal)).token);
    const own = await guard(adapter);
    const { outcome } = await own.report({
      resource: 'agent',
      signal: 'agent.silent',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('restored');
    expect(() => process.kill(pids[0] ?? 0, 0)).toThrow('ESRCH');
    expect(Number((await adapter.progress(signal)).token)).toBeGreaterThan(before);
  });
});

function outcomeOf(own: Guardian): Promise<string> {
  return new Promise((resolve) =>
    own.events.on('outcomeDecided', ({ outcome }) => resolve(outcome)),
  );
}
