import { BENCHES } from './benches.ts';

// Started by run.ts with the name of a bench; sends its figures back.
const bench = BENCHES.find(({ name }) => name === process.argv[2]);
process.send?.(await bench?.measure());
process.disconnect();
