import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** Sends one message; resolves when the socket can take more, so that a slow reader slows us down, too. */
export async function send(socket: Socket, message: object): Promise<void> {
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

/** The messages of the other side, unchecked, until it ends. Destroys the socket of one that sends longer ones. */
export async function* receive(
  socket: Socket,
  longestBytes = Infinity,
): AsyncGenerator<unknown, void> {
  let inLine = 0;
  socket.on('data', (bytes: Buffer) => {
    const end = bytes.lastIndexOf(0x0a);
    inLine = end < 0 ? inLine + bytes.length : bytes.length - end - 1;
    if (inLine > longestBytes) socket.destroy();
  });
  const lines = createInterface({ input: socket });
  socket.once('close', () => lines.close()); // a socket that is destroyed has no end, and would be waited for for ever
  for await (const line of lines) yield JSON.parse(line);
}
