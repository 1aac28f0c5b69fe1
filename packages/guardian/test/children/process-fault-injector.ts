import {
  type Fault,
  fdLeak,
  heapLeak,
  loopBlock,
  openFaultKit,
  portOccupy,
  processStop,
} from '@buddy/guardian/faults';

// Injects one fault of a process and waits, so that a test can kill it: folder, kind, options as JSON.
const [folder = '', kind = '', options = '{}'] = process.argv.slice(2);
const faults: readonly Fault<never>[] = [fdLeak, heapLeak, loopBlock, portOccupy, processStop];
const fault = faults.find((each) => each.kind === kind);
if (!fault) throw new Error(`no fault is "${kind}"`);
const kit = openFaultKit({ folder });
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fault checks its options itself
await kit.inject(fault, JSON.parse(options) as never);
process.stdout.write('injected\n');
await new Promise((resolve) => setTimeout(resolve, 60_000));
