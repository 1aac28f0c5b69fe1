import { z } from 'zod';
import { createHarness, openFolderOutput } from '../../packages/agents/src/index.ts';
import { defineTool } from '../../packages/core/src/index.ts';

// Started by benches/million.ts with a folder, a number of tasks and a number of waves; prints how many were completed.
const [, , folder = '', tasks = '0', waves = '1'] = process.argv;
const ACTION = 'bench.nothing.do';

const harness = createHarness(
  {},
  {
    output: await openFolderOutput(folder),
    tools: [
      defineTool({
        name: ACTION,
        description: 'Does nothing',
        tier: 1,
        effect: 'pure',
        input: z.unknown(),
        output: z.null(),
        execute: () => null,
      }),
    ],
  },
);
await harness.load({ tasks: lines(Number(tasks), Number(waves)) });
const { counts } = await harness.run();
await harness.close();
process.stdout.write(String(counts.completed));

function* lines(count: number, waveCount: number): Iterable<string> {
  for (let at = 0; at < count; at += 1) {
    const wave = 1 + Math.floor((at * waveCount) / count);
    const line = {
      task_id: `task-${at}`,
      wave,
      action: ACTION,
      predicted_success_probability: 0.9,
    };
    yield `${JSON.stringify({ ...line, predicted_execution_time: 0.001 })}\n`;
  }
}
