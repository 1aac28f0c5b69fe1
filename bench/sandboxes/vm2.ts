import type { SandboxContender } from './contender.ts';

export const vm2: SandboxContender = {
  name: 'vm2',
  open: async ({ timeoutMs, call }) => {
    const { VM } = await import('vm2');
    return {
      run: async (expression) =>
        new VM({ timeout: timeoutMs, sandbox: { call } }).run(`(${expression})`),
      close: () => undefined,
    };
  },
};
