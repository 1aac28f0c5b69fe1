export { createSandbox, type RunOptions, type Sandbox, type SandboxEvents, type SandboxInput, type SandboxPorts } from './sandbox.ts';
