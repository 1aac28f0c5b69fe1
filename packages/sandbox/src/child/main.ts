import { KEPT } from './kept.ts';

// One program for both ways to start: in a process that comes out of a start-up snapshot, most is done already.
const kept: unknown = Reflect.get(globalThis, KEPT);
if (typeof kept === 'function') Reflect.apply(kept, undefined, []);
else start();

function start(): void {
  // Its clock is the machine's, which no replay could give again; and a snapshot does not hold it. Before SES looks for it.
  Reflect.deleteProperty(globalThis, 'Temporal');
  void import('./program.ts');
}
