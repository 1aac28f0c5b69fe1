import { builtinFaults, openFaultKit } from '@buddy/guardian/faults';

// Injects one fault, says so, and waits to be killed.
const [folder = '', kind = '', options = '{}'] = process.argv.slice(2);
const fault = builtinFaults.find((each) => each.kind === kind);
if (!fault) throw new Error(`There is no fault ${kind}`);
const kit = openFaultKit({ folder });
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fault reads them itself
await kit.inject(fault, JSON.parse(options) as never);
process.stdout.write('injected\n');
setInterval(() => undefined, 60_000);
