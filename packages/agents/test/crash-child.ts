import { appendFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { createEngine, openJournal, type Workflow } from '@buddy/agents';
import type { Tool } from '@buddy/core';
import { z } from 'zod';

/*
 * A process that is killed at any moment, and begun again. Every tool call goes to the provider's ledger, a file; every
 * acknowledgement to the client's log, another.
 */

const [, , folder = '', workflows = '0'] = process.argv;
const any = z.unknown();

const call = (name: string, effect: Tool['effect']): Tool => ({
  name,
  description: name,
  tier: 1,
  effect,
  input: any,
  output: any,
  execute: async (_input, { idempotencyKey }) => {
    appendFileSync(`${folder}/ledger`, `begun ${name} ${idempotencyKey}\n`);
    await new Promise((resolve) => setTimeout(resolve, 4));
    appendFileSync(`${folder}/ledger`, `done ${name} ${idempotencyKey}\n`);
    return null;
  },
});

const child: Workflow = async (ctx, n: number) => {
  for (const [tool, step] of [
    ['keyed', 1],
    ['once', 2],
    ['keyed', 3],
  ] as const) {
    const { kind } = await ctx.activity({
      key: `${tool}/${step}`,
      tool,
      input: null,
      work: `${ctx.id}/${tool}/${step}`,
      actor: { kind: 'system', id: 'test' },
      rationale: 'a test',
      attempt: 1,
      lane: 'lane',
    });
    await ctx.emit(`fact/${step}`, { id: ctx.id, step, kind });
  }
  const answer = await ctx.waitFor<number>('go', { key: 'go', timeoutMs: 3_600_000 });
  return { n, answer };
};

const root: Workflow = async (ctx, count: number) =>
  ctx.joinAll(
    await ctx.spawnAll(
      Array.from({ length: count }, (_, n) => ({
        key: `${n}`,
        id: `child/${n}`,
        workflow: 'child',
        input: n,
      })),
    ),
  );

const engine = createEngine({ store: openJournal({ file: `${folder}/journal.db` }) });
engine.register({
  workflows: { root, child },
  tools: [call('keyed', 'keyed'), call('once', 'once')],
  lanes: { lane: 4 },
});
process.stdout.write('open\n');
await engine.open();
const count = Number(workflows);
await engine.start('root', 'root', count);
acknowledge('started');
for (let n = 0; n < count; n++) {
  await waitUntilThere(`child/${n}`);
  await engine.signal(`child/${n}`, 'go', n, { key: `go/${n}` });
  acknowledge(`signalled ${n}`);
}
const result = await engine.result('root');
appendFileSync(`${folder}/result`, `${JSON.stringify(result)}\n`);
const facts: unknown[] = [];
for await (const entry of engine.history()) if (entry.kind === 'told') facts.push(entry.value);
writeFileSync(`${folder}/facts`, JSON.stringify(facts));
await engine.close();

function acknowledge(what: string): void {
  appendFileSync(`${folder}/client`, `${what}\n`);
}

async function waitUntilThere(id: string): Promise<void> {
  for (;;) {
    for await (const view of engine.list()) if (view.id === id) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
