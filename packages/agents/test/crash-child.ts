import process from 'node:process';
import { createEngine, openJournal } from '@buddy/agents';
import { driveFaults, faultRegistration } from '@buddy/agents/testing';

/* A process that is killed at any moment, and begun again. */

const [, , folder = '', children = '0'] = process.argv;
// It is the test that kills, not a call, and more often than any call would be forgiven.
const store = openJournal({ file: `${folder}/journal.db` });
const engine = createEngine({ store, poisonAfter: Infinity });
engine.register(faultRegistration({ folder }));
process.stdout.write('open\n');
await engine.open();
await driveFaults(engine, Number(children), { folder });
await engine.close();
