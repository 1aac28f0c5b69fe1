import { on } from 'node:events';
import type { Socket } from 'node:net';
import { type ByteLine, ByteLines } from '../json-lines/byte-lines.ts';

/**
 * Sends one message, a line of JSON; resolves when the socket can take more, so that a slow reader slows us down, too.
 * Nothing happens where the other side has gone.
 */
export async function sendMessage(socket: Socket, message: object): Promise<void> {
  if (socket.destroyed || socket.writableEnded) return;
  if (socket.write(`${JSON.stringify(message)}\n`)) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      socket.off('drain', go).off('close', go);
      resolve();
    };
    socket.once('drain', go).once('close', go);
  });
}

/**
 * The messages of the other side, unchecked, until it ends. A longer one than `longestBytes` is dropped as it comes in, and
 * the socket destroyed.
 * @throws {SyntaxError} For a line that is no JSON.
 */
export async function* receiveMessages(
  socket: Socket,
  longestBytes = Infinity,
): AsyncGenerator<unknown, void> {
  const lines = new ByteLines(longestBytes);
  let waitingBytes = 0;
  // By its events, not as a stream: that would be destroyed with the loop, and while an answer is made see nobody leave.
  for await (const [chunk] of on(socket, 'data', { ...FEW, close: ['end', 'close'] })) {
    const bytes: Buffer = chunk;
    for (const line of lines.push(bytes)) {
      waitingBytes = 0;
      if (line.kind === 'tooLong') return void socket.destroy();
      yield messageOf(line);
    }
    const end = bytes.lastIndexOf(NEWLINE);
    waitingBytes = end < 0 ? waitingBytes + bytes.length : bytes.length - end - 1;
    if (waitingBytes > longestBytes) return void socket.destroy(); // or it could go on for ever
  }
  for (const line of lines.finish()) if (line.kind === 'line') yield messageOf(line);
}

/** Chunks that wait before the other side has to. */
const FEW = { highWaterMark: 16, lowWaterMark: 1 };

const NEWLINE = 0x0a;

function messageOf({ bytes }: Extract<ByteLine, { kind: 'line' }>): unknown {
  return JSON.parse(bytes.toString('utf8'));
}
