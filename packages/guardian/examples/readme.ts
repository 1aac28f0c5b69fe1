import { builtinPlaybooks, createGuardian, createProcessService } from '@buddy/guardian';

const stateFolder = '/tmp/buddy-guardian-readme';
const api = createProcessService({ id: 'api', command: 'sleep', args: ['60'], stateFolder });
const resources = [{ id: 'api', adapter: api }];
const options = { autonomy: { 3: 'auto' }, longestStableMs: 100 } as const;
await using guardian = createGuardian(options, { resources, playbooks: builtinPlaybooks });
await guardian.start();

// Nobody has started it, so it does not run.
const { outcome } = await guardian.report({ resource: 'api', signal: 'process.exited' });
console.log(await outcome); // restored
console.log(guardian.stats().successfulRuns); // 1
await api.stop(AbortSignal.timeout(1_000));
