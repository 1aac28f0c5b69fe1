import dgram from 'node:dgram';
import { channel, type ChannelListener } from 'node:diagnostics_channel';
import dns from 'node:dns';
import net from 'node:net';
import process from 'node:process';

// A program for a process of its own: it calls all three systems, and prints whom it has tried to reach. Everything that
// leaves a Node process goes through one of these; they are watched before anything else is loaded.
const opened: string[] = [];

function watch(target: object, name: string): void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== 'function') throw new TypeError(`there is no ${name} to watch`);
  Reflect.set(target, name, function watched(this: unknown, ...args: unknown[]): unknown {
    opened.push(name);
    return Reflect.apply(original, this, args);
  });
}

watch(net.Socket.prototype, 'connect');
watch(dns, 'lookup');
watch(dgram.Socket.prototype, 'send');
const onRequest: ChannelListener = () => opened.push('undici request');
channel('undici:request:create').subscribe(onRequest);
channel('net.client.socket').subscribe(() => opened.push('net client socket'));

const { getGoHighLevelClient, getGraphMailClient, getMployerClient } = await import('@buddy/mocks');

const mock = { latency: 'none', faults: 'none' } as const;
const calls = await Promise.allSettled([
  getGoHighLevelClient(process.env, { mock }).testConnection(),
  getMployerClient(process.env, { mock }).login('ada@example.com', 'secret'),
  getGraphMailClient(process.env, { mock }).testConnection(),
]);

process.stdout.write(
  JSON.stringify({
    opened,
    calls: calls.filter(({ status }) => status === 'fulfilled').length,
  }),
);
