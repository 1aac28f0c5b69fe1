export type { FakeProgram } from './fake-run.ts';
export { createFakeSandbox, type FakeSandbox } from './fake-sandbox.ts';
