import { fileRemove, openFaultKit } from '@buddy/guardian/faults';

// Injects and takes back without end, so that a test can kill it at any moment. Says when it has begun.
const [folder = '', path = '', once] = process.argv.slice(2);
const kit = openFaultKit({ folder });
for (;;) {
  const fault = await kit.inject(fileRemove, { path });
  process.stdout.write('injected\n');
  if (once === 'once') await new Promise((resolve) => setTimeout(resolve, 60_000));
  await fault.revert();
}
