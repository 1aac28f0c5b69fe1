import { setTimeout as sleep } from 'node:timers/promises';
import { fileRemove, openFaultKit } from '@buddy/guardian/faults';

// Injects faults, for a test that kills it: `endlessly` takes each back and injects the next, `once` waits, `watched` waits
// with a watchdog, `blocked` has one and stands still for ever, though the fault was to stay for half a second.
const [folder = '', path = '', how = 'endlessly'] = process.argv.slice(2);
const hasWatchdog = how === 'watched' || how === 'blocked';
const kit = openFaultKit({ folder, hasWatchdog });
const inject = () => kit.inject(fileRemove, { path }, { seconds: how === 'blocked' ? 0.5 : 100 });
const say = (word: string) => new Promise((resolve) => process.stdout.write(`${word}\n`, resolve));

switch (how) {
  case 'endlessly':
    for (;;) {
      const fault = await inject();
      await say('injected');
      await fault.revert();
    }
  default:
    await inject();
    await say('injected');
    if (how === 'blocked') for (;;);
    await sleep(60_000);
}
