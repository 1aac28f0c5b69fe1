import { it } from 'vitest';
import { gatedTool, prepare, records, recordsNamed, task, workTool } from './harness-fixture.ts';
it('x', async () => {
  const { tool } = gatedTool({});
  const { run, harness, output } = await prepare({
    input: { agents: [{ id: 'ada' }] },
    lines: [task('ask', { action: 'test.gated' }), task('next', { depends_on: ['ask'] }), ...Array.from({ length: 5 }, (_, at) => task(`t${at}`))],
    makeTools: (clock) => [workTool(clock), tool],
  });
  harness.events.on('taskWaiting', ({ taskId }) => { harness.decide(taskId, { kind: 'proceed' }).then((r) => console.log('decided', r.counts), (e) => console.log('err', e)); });
  console.log(await run());
  console.log(records(output, 'phase21/events.jsonl').map((e) => JSON.stringify(e)).join('\n'));
});
