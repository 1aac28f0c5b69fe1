import { createSupervisor, createSystemProcesses } from '@buddy/bots';
import { MemoryBots } from '../supervisor/memory-bots.ts';

// Supervises the bots of its first argument until it is ended, however that happens.
const registry = new MemoryBots(JSON.parse(process.argv[2] ?? '[]'));
const processes = createSystemProcesses({ useCgroups: process.argv[3] === 'cgroups' });
const supervisor = createSupervisor({ registry }, { processes });
await supervisor.startAll();
process.stdout.write('started\n');
