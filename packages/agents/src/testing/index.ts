export { describeEngine, type DescribeEngineOptions, type TestRunner } from './describe-engine.ts';
export { checkFaults, type CheckOptions } from './faults/check-faults.ts';
export {
  describeKills,
  type DescribeKillsOptions,
  type KillPlace,
} from './faults/describe-kills.ts';
export { driveFaults, faultRegistration, type FaultScenario } from './faults/fault-scenario.ts';
export { createKillSwitch, type KillSwitch, type Moment } from './faults/kill-switch.ts';
export { type EnginePlace, type EngineProcess, registrationsOf } from './engine-place.ts';
export { type PostgresOptions, startPostgres, type TemporaryPostgres } from './postgres.ts';
