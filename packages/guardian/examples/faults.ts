import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileRemove, openFaultKit } from '@buddy/guardian/faults';

// BUDDY_FAULTS=1 node faults.ts
await writeFile('config.json', '{}');
await using kit = openFaultKit({ folder: '.buddy-faults', hasWatchdog: true });
{
  await using fault = await kit.inject(fileRemove, { path: 'config.json' }, { seconds: 10 });
  console.log(fault.state, existsSync('config.json')); // present false
}
console.log(existsSync('config.json')); // true
