import process from 'node:process';
import {
  createEngine,
  JournalOpenError,
  openEngineSocket,
  openJournal,
  type Workflow,
} from '@buddy/agents';

/* A process whose workflow waits to be told over its socket. It prints what became of it. */

const [, , runFolder = ''] = process.argv;
const ask: Workflow = (ctx) => ctx.waitFor('verdict', { key: 'wait', timeoutMs: 3_600_000 });

try {
  const engine = createEngine({ store: openJournal({ file: `${runFolder}/state/journal.db` }) });
  engine.register({ workflows: { ask }, tools: [], lanes: {} });
  await engine.open();
  const socket = await openEngineSocket(engine, { runFolder });
  await engine.start('w', 'ask', null);
  process.stdout.write('open\n');
  process.stdout.write(`${JSON.stringify(await engine.result('w'))}\n`);
  await socket.close();
  await engine.close();
} catch (error) {
  if (!(error instanceof JournalOpenError)) throw error;
  process.stdout.write(`${error.code}\n`);
}
