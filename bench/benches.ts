import type { Bench } from './measure/figure.ts';

/** What can be measured, in the order in which it is. Nothing of Buddy is loaded before `measure` is called. */
export const BENCHES: readonly Bench[] = [
  {
    name: 'dispatch',
    title:
      'Overhead per no-op task: 10 000 tasks, 4 wide, from the list of tasks to the list of outcomes',
    measure: async () => (await import('./benches/dispatch.ts')).measureDispatch(),
  },
  {
    name: 'makespan',
    title:
      'Makespan / lower bound of the true durations: agents of speeds 1.25, 1, .8, .5, estimates off by sigma .35',
    measure: async () => (await import('./benches/makespan.ts')).measureMakespan(),
  },
  {
    name: 'calibration',
    title:
      'Share of the gap to the oracle that recalibration closes: 10 waves x 1000 tasks, the world shifts at wave 6',
    measure: async () => (await import('./benches/calibration.ts')).measureCalibration(),
  },
  {
    name: 'anomalies',
    title:
      'Slow tasks (5 %, 6 x) among tasks of mixed actions, and false alarms: 50 seeds x 1000 tasks',
    measure: async () => (await import('./benches/anomalies.ts')).measureAnomalies(),
  },
  {
    name: 'load',
    title:
      'Reading, checking and planning 10 000 predictions of 10 waves, in a fresh process each time',
    measure: async () => (await import('./benches/load.ts')).measureLoad(),
  },
  {
    name: 'redaction',
    title: "Core's redactText, per line of 200 characters",
    measure: async () => (await import('./benches/redaction.ts')).measureRedaction(),
  },
  {
    name: 'policy',
    title: 'One decision by a policy: 100 rules over 20 actions, three conditions each, block wins',
    measure: async () => (await import('./benches/policy.ts')).measurePolicy(),
  },
  {
    name: 'sandbox',
    title: '@buddy/sandbox beside what else runs untrusted JavaScript: speed, hostile code, memory',
    measure: async () => (await import('./benches/sandbox.ts')).measureSandbox(),
  },
  {
    name: 'audit',
    title: 'Intent and outcome of an action on the disk: 64 agents, beside one commit per entry',
    measure: async () => (await import('./benches/audit.ts')).measureAudit(),
  },
  {
    name: 'mocks',
    title: '@buddy/mocks beside MSW, Prism and mockttp: calls, HTTP, start, search, memory',
    measure: async () => (await import('./benches/mocks.ts')).measureMocks(),
  },
  {
    name: 'bots-registry',
    title: "A registry of bots: written durably, and searched; beside it the disk's own part",
    measure: async () => (await import('./benches/bots-registry.ts')).measureBotsRegistry(),
  },
  {
    name: 'bots-supervisor',
    title: '@buddy/bots: what 20 bots use, a start, and back to work after a kill',
    measure: async () => (await import('./benches/bots-supervisor.ts')).measureBotsSupervisor(),
  },
  {
    name: 'guardian-engine',
    title:
      '@buddy/guardian itself: incidents a second, what a probe costs, what it says while we stand still',
    measure: async () => (await import('./benches/guardian-engine.ts')).measureGuardianEngine(),
  },
  {
    name: 'guardian-layers',
    title: 'A look at layers 2 to 7, all at once',
    measure: async () => (await import('./benches/guardian-layers.ts')).measureGuardianLayers(),
  },
  {
    name: 'guardian-heal',
    title:
      '@buddy/guardian: back to work after a kill and a hang, PM2 beside it; and what waiting costs',
    measure: async () => (await import('./benches/guardian-heal.ts')).measureGuardianHeal(),
  },
  {
    name: 'engine-parked',
    title: '@buddy/agents, the embedded engine: approvals that wait, and back to work after a kill',
    measure: async () => (await import('./benches/engine-parked.ts')).measureEngineParked(),
  },
  {
    name: 'guardian-modes',
    title: '@buddy/guardian: each of ten failure modes, from the fault until it is restored',
    measure: async () => (await import('./benches/guardian-modes.ts')).measureGuardianModes(),
  },
  {
    name: 'engine',
    title:
      'Durable execution: waves of tasks that do nothing, by the embedded engine, the DBOS adapter and others',
    measure: async () => (await import('./benches/engine.ts')).measureEngine(),
  },
  {
    name: 'engine-pace',
    title:
      'The embedded engine with tasks that take their time: wall time, event loop, back to work after kill -9',
    measure: async () => (await import('./benches/engine-pace.ts')).measureEnginePace(),
  },
  {
    name: 'engine-failover',
    title: '@buddy/agents/dbos: one of two workers is killed in the middle of calls',
    measure: async () => (await import('./benches/engine-failover.ts')).measureEngineFailover(),
  },
  {
    name: 'main-job',
    title:
      'examples/orchestrator.ts: 10 000 tasks, manual clock, a whole process from start to end',
    measure: async () => (await import('./benches/main-job.ts')).measureMainJob(),
  },
  {
    name: 'audit-million',
    title: 'An audit log of 1 000 000 entries: verified, asked, proven',
    isOptIn: true,
    measure: async () => (await import('./benches/audit-million.ts')).measureAuditMillion(),
  },
  {
    name: 'million',
    title: '1 000 000 no-op tasks through the harness, files and all',
    isOptIn: true,
    measure: async () => (await import('./benches/million.ts')).measureMillion(),
  },
];
