import { createSupervisor, serveControl } from '@buddy/bots';
import { MemoryBots } from './memory-bots.ts';

// Tries to be the one supervisor of a registry's file, and says what became of that.
const supervisor = createSupervisor({ registry: new MemoryBots([]) });
try {
  await serveControl(supervisor, { registryFile: process.argv[2] ?? '' });
  process.stdout.write('serves\n');
} catch (error) {
  process.stdout.write(
    `${error instanceof Error && 'code' in error ? String(error.code) : String(error)}\n`,
  );
}
