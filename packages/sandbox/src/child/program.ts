import { startupSnapshot } from 'node:v8';
import { FrameReader, encodeFrame } from '../protocol/frame.ts';
import type { ChildMessage, HostMessage, RunMessage, SetupMessage } from '../protocol/messages.ts';
import { GuestRun } from './guest-run.ts';
import { KEPT } from './kept.ts';
import { claimStartRealm, repairStartRealm, type RepairedRealm } from './start-realm.ts';
import { growToolTree } from './tool-tree.ts';

// The host is trusted; this bound only keeps a mistake from growing.
const MAX_FRAME_BYTES = 64 * 2 ** 20;
const REHEARSALS = 3;
const REHEARSAL: RunMessage = {
  type: 'run',
  run: 0,
  source: `async ({ Math, tools, console }) => {
    console.log('one');
    let sum = 0;
    for (let at = 0; at < 3; at += 1) sum = Math.max(await tools.rehearse({ sum }));
    return { sum };
  }`,
  input: { $: 'undefined' },
  seed: [1, 2, 3, 4],
  now: 0,
};

const REHEARSED = growToolTree(['rehearse']);

const repaired = repairStartRealm();
if (startupSnapshot.isBuildingSnapshot()) Reflect.set(globalThis, KEPT, () => begin(repaired));
else begin(repaired);

/** Everything from here on happens in the process that is to run guest code. */
function begin(repairedRealm: RepairedRealm): void {
  const realm = claimStartRealm(repairedRealm);
  const reader = new FrameReader(MAX_FRAME_BYTES);
  let prepare: (() => GuestRun) | undefined;
  let current: GuestRun | undefined;
  /** Made ahead, while the host is busy with the last answer. */
  let next: GuestRun | undefined;

  realm.onUncaught((thrown) => {
    // Before the first run, only this package's own code can have thrown: the host reads of it in the child's last words.
    if (current) current.fail(thrown);
    else realm.die(thrown);
  });
  realm.onUnhandledRejection((reason) => current?.unhandledRejection(reason));
  realm.onData((bytes) => {
    // The host wrote it, with these very types.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    for (const message of reader.push(bytes)) receive(message as HostMessage);
  });

  function send(message: ChildMessage): void {
    realm.write(encodeFrame(message));
  }

  function receive(message: HostMessage): void {
    switch (message.type) {
      case 'setup':
        setUp(message);
        return;
      case 'run':
        current = next ?? prepare?.();
        next = undefined;
        current?.start(message);
        return;
      case 'answer':
        current?.answer(message);
        return;
    }
  }

  function setUp({ toolNames, modules, limits }: SetupMessage): void {
    const tools = growToolTree(toolNames);
    prepare = () => new GuestRun({ realm, tools, modules, limits, send: sendAndPrepare });
    rehearse(REHEARSALS);

    /** Dry runs, so that the first real one finds its functions compiled. */
    function rehearse(left: number): void {
      const tell = (message: ChildMessage): void => {
        encodeFrame(message);
        if (message.type === 'call') {
          const { run, id, input } = message;
          realm.setImmediate(() =>
            rehearsal.answer({
              type: 'answer',
              run,
              id,
              elapsedMs: 0,
              outcome: { ok: true, value: input },
            }),
          );
        }
        if (message.type !== 'done') return;
        if (left > 1) {
          rehearse(left - 1);
          return;
        }
        next = prepare?.();
        send({ type: 'ready' });
      };
      const rehearsal = new GuestRun({ realm, tools: REHEARSED, modules, limits, send: tell });
      rehearsal.start(REHEARSAL);
    }
  }

  function sendAndPrepare(message: ChildMessage): void {
    send(message);
    if (message.type === 'done') realm.setImmediate(() => (next ??= prepare?.()));
  }
}
