import type { Isolate } from 'isolated-vm';
import type { SandboxContender } from './contender.ts';

export const isolatedVm: SandboxContender = {
  name: 'isolated-vm',
  nodeOptions: ['--no-node-snapshot'],
  open: async ({ kind, timeoutMs, memoryMb, call }) => {
    const { default: ivm } = await import('isolated-vm');
    const shared = kind === 'again' ? new ivm.Isolate({ memoryLimit: memoryMb }) : undefined;
    const evaluate = async (isolate: Isolate, expression: string): Promise<unknown> => {
      const context = await isolate.createContext();
      await context.global.set('reference', new ivm.Reference(call));
      const code = `const call = (n) => reference.apply(undefined, [n], { result: { promise: true } });\n(${expression})`;
      const value: unknown = await context.eval(code, {
        timeout: timeoutMs,
        promise: true,
        copy: true,
      });
      context.release();
      return value;
    };
    return {
      run: async (expression) => {
        if (shared) return evaluate(shared, expression);
        const isolate = new ivm.Isolate({ memoryLimit: memoryMb });
        const value = await evaluate(isolate, expression);
        isolate.dispose();
        return value;
      },
      close: () => shared?.dispose(),
    };
  },
};
