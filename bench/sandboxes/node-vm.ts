import { createContext, runInContext } from 'node:vm';
import type { SandboxContender } from './contender.ts';

/** Node's documentation says of it: not a security mechanism. Here for the price of a context alone. */
export const nodeVm: SandboxContender = {
  name: 'node:vm',
  open: async ({ timeoutMs, call }) => ({
    run: async (expression) =>
      runInContext(`(${expression})`, createContext({ call }), { timeout: timeoutMs }),
    close: () => undefined,
  }),
};
