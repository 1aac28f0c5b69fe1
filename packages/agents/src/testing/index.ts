export { describeEngine, type DescribeEngineOptions, type TestRunner } from './describe-engine.ts';
export type { EngineCase } from './cases/engine-case.ts';
export { type EnginePlace, type EngineProcess, registrationsOf } from './engine-place.ts';
export { type PostgresOptions, startPostgres, type TemporaryPostgres } from './postgres.ts';
