export { createDbosEngine, type DbosEnginePorts } from './dbos-engine.ts';
export { EngineStorageVersionError } from './errors.ts';
export { type DbosEngineInput, DbosEngineOptions } from './options.ts';
