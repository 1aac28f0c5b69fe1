export { createFakeSandbox, type FakeProgram, type FakeSandbox } from './fake-sandbox.ts';
