import { type AgentAdapter, createSupervisedAgent } from '@buddy/guardian';
import { agentScript, createScriptedAgent, type ScriptedAgent } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { openGround, until } from './ground.ts';

const { signal } = new AbortController();

export interface AgentWorld extends PlaybookWorld {
  agent: AgentAdapter;
  program: ScriptedAgent;
}

/** An agent at its work, which can be made to loop or to fall silent. */
export async function openAgentWorld(
  mode: 'loop' | 'silent',
  { isDeaf = false } = {},
): Promise<AgentWorld> {
  const ground = await openGround('agent');
  const program = createScriptedAgent();
  const supervised = createSupervisedAgent(
    { silentMs: 150, repeats: 4, obeyWithinMs: 100 },
    { program },
  );
  const { adapter } = supervised;
  await supervised.start();
  await until(async () => program.step > 2);
  return {
    agent: adapter,
    program,
    resources: [{ id: 'agent', adapter }],
    subject: 'agent',
    fault: ground.kit.rehearsed(agentScript, () => ({ agent: program, mode, isDeaf })),
    symptom: async () => ({ signal: mode === 'loop' ? 'agent.looping' : 'agent.silent' }),
    state: async () => ({ isTurning: (await adapter.progress(signal)).isTurning }),
    close: () => ground.close(() => adapter.end(signal)),
  };
}
