export { createDbosEngine, type DbosEnginePorts } from './dbos-engine.ts';
export {
  EngineConnectionError,
  EngineStorageReadError,
  EngineStorageVersionError,
} from './errors.ts';
export { type DbosEngineInput, DbosEngineOptions } from './options.ts';
