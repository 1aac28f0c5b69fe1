import process from 'node:process';
import { createEngine, openJournal } from '@buddy/agents';
import { driveFaults, faultRegistration } from '@buddy/agents/testing';

/* A process that is killed at any moment, and begun again. */

const [, , folder = '', children = '0'] = process.argv;
const engine = createEngine({ store: openJournal({ file: `${folder}/journal.db` }) });
engine.register(faultRegistration({ folder }));
process.stdout.write('open\n');
await engine.open();
await driveFaults(engine, Number(children), { folder });
await engine.close();
