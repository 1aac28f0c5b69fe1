import type { Socket } from 'node:net';
import { openSocket, type Target } from './connect.ts';
import { type LayerProbe, unknown } from './layer.ts';

/** Something that stays open, and can be asked whether it still is the same. */
export interface SessionAdapter {
  readonly name: string;
  /** Asks over the session; opens one when there is none. Answers with what tells this session from another. */
  ping(signal: AbortSignal): Promise<{ sessionId: string }>;
  close(): Promise<void>;
}

/** Layer 5: does the session hold? A new one in its place works, and is DEGRADED once: what hung on the old one is lost. */
export function sessionProbe(session?: SessionAdapter): LayerProbe {
  let last: string | undefined;
  return {
    layer: 5,
    name: session?.name ?? 'session',
    look: async (signal) => {
      if (!session) return unknown('disabled', 'no session adapter was given');
      const { sessionId } = await session.ping(signal);
      const before = last;
      last = sessionId;
      if (before === undefined || before === sessionId) return { status: 'HEALTHY' };
      const note = `session ${before} was lost; ${sessionId} is in its place`;
      return { status: 'DEGRADED', signal: 'session.lost', note };
    },
  };
}

export interface LineSessionOptions {
  target: Target;
  /** What is sent, as a line. Default `ping`. */
  ping?: string;
  /** What has to come back, as a line. Default: what was sent. */
  answer?: string;
}

/** A session over TCP that speaks in lines. */
export function lineSession({
  target,
  ping = 'ping',
  answer = ping,
}: LineSessionOptions): SessionAdapter {
  let opened = 0;
  let socket: Socket | undefined;
  const isOpen = () => socket !== undefined && !socket.destroyed && socket.writable;
  return {
    name: `session with ${target.host}:${target.port}`,
    ping: async (signal) => {
      if (!isOpen()) {
        socket = await openSocket(target, signal);
        opened += 1;
      }
      const held = socket;
      if (!held) throw new Error('the session was closed while it was opened');
      const line = await ask(held, ping, signal);
      if (line !== answer) {
        held.destroy();
        throw new Error(`the session answered ${JSON.stringify(line)}`);
      }
      return { sessionId: String(opened) };
    },
    close: async () => {
      socket?.destroy();
    },
  };
}

function ask(socket: Socket, line: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = () => {
      socket.off('data', onData).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
    };
    const onData = (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (!text.includes('\n')) return;
      end();
      resolve(text.slice(0, text.indexOf('\n')));
    };
    const onClose = () => {
      end();
      reject(new Error('the session was closed by the other side'));
    };
    const onAbort = () => {
      end();
      socket.destroy(); // an answer that comes later would be taken for the next one's
      reject(signal.reason);
    };
    socket.on('data', onData).on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.write(`${line}\n`);
  });
}
