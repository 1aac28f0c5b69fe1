import { appendFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openPlanted, planters } from './planted.ts';

/* A process that plants without end, says `.` after every hundred calls, and is killed in the middle. */

const [, , folder = '', seed = '1'] = process.argv;
const writeLine = (line: string): void => appendFileSync(join(folder, 'service.log'), line);
const governance = await openPlanted(folder, writeLine);
const plant = await planters(governance, Number(seed));
let calls = 0;
const worker = async (): Promise<void> => {
  for (;;) {
    await plant();
    calls += 1;
    if (calls % 100 === 0) writeSync(1, '.');
  }
};
await Promise.all(Array.from({ length: 32 }, worker));
