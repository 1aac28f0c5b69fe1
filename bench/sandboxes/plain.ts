import type { SandboxContender } from './contender.ts';

/** No sandbox at all: what the others' computing is compared with. */
export const plain: SandboxContender = {
  name: 'plain Node',
  open: async ({ call }) => ({
    // The very point: code that is evaluated where it is.
    // oxlint-disable-next-line typescript/no-implied-eval
    run: async (expression) => new Function('call', `return (${expression})`)(call),
    close: () => undefined,
  }),
};
