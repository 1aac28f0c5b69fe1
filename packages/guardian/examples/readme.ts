import {
  builtinPlaybooks,
  createGuardian,
  createProcessService,
  openSqliteStore,
} from '@buddy/guardian';

const api = createProcessService({
  id: 'api',
  command: 'sleep',
  args: ['60'],
  stateFolder: 'state',
});
await using guardian = createGuardian(
  { autonomy: { 3: 'auto' }, longestStableMs: 100 },
  {
    store: openSqliteStore(':memory:'),
    resources: [{ id: 'api', adapter: api }],
    playbooks: builtinPlaybooks,
  },
);
await guardian.start(); // `api` does not run yet: that is trouble, too
const { outcome } = await guardian.report({ resource: 'api', signal: 'process.exited' });
console.log(await outcome, guardian.stats().successfulRuns); // restored 1
await api.stop(AbortSignal.timeout(1_000));
