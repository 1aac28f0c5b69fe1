import { createGoHighLevelMock } from '../../packages/mocks/src/index.ts';

// Started by benches/mocks.ts with --expose-gc; prints how much memory is held after each twenty thousand calls.
// Faults, too, but none that waits: time is the real one here.
const mock = createGoHighLevelMock({
  seed: 1,
  contacts: 100,
  latency: 'none',
  faults: [
    { match: { operation: '*' }, kind: 'status', status: 429, when: { rate: 0.02 } },
    { match: { operation: '*' }, kind: 'reset', when: { rate: 0.02 } },
    { match: { operation: '*' }, kind: 'commitThenFail', when: { rate: 0.02 } },
  ],
});
const ids = mock.contacts().map(({ id }) => id);
const heldMb: number[] = [];
for (let call = 1; call <= 120_000; call += 1) {
  const id = ids[call % ids.length] ?? '';
  const done =
    call % 3 === 0
      ? mock.client.updateContact(id, { city: `City ${call}` })
      : mock.client.getContact(id);
  await done.catch(() => undefined); // by a fault
  if (call % 20_000 > 0) continue;
  globalThis.gc?.();
  heldMb.push(process.memoryUsage().heapUsed / 2 ** 20);
}
process.stdout.write(JSON.stringify(heldMb));
