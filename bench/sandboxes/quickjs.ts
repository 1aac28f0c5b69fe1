import type { QuickJSContext, QuickJSRuntime } from 'quickjs-emscripten';
import type { SandboxContender } from './contender.ts';

export const quickJs: SandboxContender = {
  name: 'quickjs-emscripten',
  open: async ({ kind, timeoutMs, memoryMb, call }) => {
    const { getQuickJS } = await import('quickjs-emscripten');
    const engine = await getQuickJS();
    const newRuntime = (): QuickJSRuntime => {
      const runtime = engine.newRuntime();
      runtime.setMemoryLimit(memoryMb * 2 ** 20);
      return runtime;
    };
    const shared = kind === 'again' ? newRuntime() : undefined;
    return {
      run: async (expression) => {
        const runtime = shared ?? newRuntime();
        const endsAt = performance.now() + timeoutMs;
        runtime.setInterruptHandler(() => performance.now() > endsAt);
        const context = runtime.newContext();
        const value = await evaluate(context, expression, call);
        context.dispose();
        if (!shared) runtime.dispose();
        return value;
      },
      close: () => shared?.dispose(),
    };
  },
};

async function evaluate(
  context: QuickJSContext,
  expression: string,
  call: (n: number) => Promise<number>,
): Promise<unknown> {
  context
    .newFunction('call', (given) => {
      const answer = context.newPromise();
      const n = context.getNumber(given);
      void (async () => {
        const value = await call(n);
        context.newNumber(value).consume((handle) => answer.resolve(handle));
        context.runtime.executePendingJobs();
      })();
      return answer.handle;
    })
    .consume((handle) => context.setProp(context.global, 'call', handle));
  const promise = context.unwrapResult(context.evalCode(`(${expression})`));
  const settled = context.resolvePromise(promise);
  promise.dispose();
  context.unwrapResult(context.runtime.executePendingJobs());
  const handle = context.unwrapResult(await settled);
  const value: unknown = context.dump(handle);
  handle.dispose();
  return value;
}
