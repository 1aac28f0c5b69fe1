import type { SandboxContender } from './contender.ts';

export const buddy: SandboxContender = {
  name: '@buddy/sandbox',
  open: async ({ kind, timeoutMs, memoryMb, call }) => {
    // Here, so that the hosts of the others do not load it.
    const { z } = await import('zod');
    const { defineTool } = await import('../../packages/core/src/index.ts');
    const { createSandbox } = await import('../../packages/sandbox/src/index.ts');
    const tool = defineTool({
      name: 'bench.call',
      description: 'Adds one',
      tier: 1,
      effect: 'pure',
      input: z.strictObject({ n: z.number() }),
      output: z.number(),
      execute: ({ n }) => call(n),
    });
    const sandbox = await createSandbox({
      isolation: kind === 'fresh' ? 'process' : 'session',
      tools: [tool],
      limits: { wallMs: timeoutMs, memoryMb, maxToolCalls: 1_000_000 },
    });
    return {
      run: async (expression) => {
        const result = await sandbox.run(
          `const call = (n) => tools.bench.call({ n });\n(${expression})`,
        );
        if (result.status === 'ok') return result.value;
        throw new Error(result.toModelText());
      },
      close: () => sandbox.close(),
    };
  },
};
