import { defensive, family } from '../attempt.ts';

const NETWORK = { violation: 'NETWORK_ACCESS_ATTEMPT' } as const;
const NOT_IN_NODE = defensive('not in Node');

export const network = family('network', 'connection', [
  {
    name: 'fetch',
    code: 'return await fetch(`http://127.0.0.1:${input.port}/`)',
    expects: NETWORK,
  },
  {
    name: 'fetch whose error is caught',
    code: 'try { await fetch(`http://127.0.0.1:${input.port}/`) } catch { return "caught" }',
    expects: NETWORK,
  },
  {
    name: 'fetch by another name',
    code: 'const get = globalThis["fe" + "tch"]; return await get(`http://127.0.0.1:${input.port}/`)',
    expects: NETWORK,
  },
  {
    name: 'fetch called with Reflect',
    code: 'return await Reflect.apply(fetch, null, [`http://127.0.0.1:${input.port}/`])',
    expects: NETWORK,
  },
  {
    name: 'fetch found by a made function',
    code: 'return await Function("return fetch")()(`http://127.0.0.1:${input.port}/`)',
  },
  {
    name: 'WebSocket',
    code: 'const it = new WebSocket(`ws://127.0.0.1:${input.port}`); await new Promise((done) => { it.onerror = it.onopen = done })',
    expects: NETWORK,
  },
  {
    name: 'a class that extends WebSocket',
    code: 'class Sly extends WebSocket {} const it = new Sly(`ws://127.0.0.1:${input.port}`); await new Promise((done) => { it.onerror = it.onopen = done })',
  },
  {
    name: 'EventSource',
    code: 'return new EventSource(`http://127.0.0.1:${input.port}`)',
    expects: { ...NOT_IN_NODE, ...NETWORK },
  },
  {
    name: 'XMLHttpRequest',
    code: 'const it = new XMLHttpRequest(); it.open("GET", `http://127.0.0.1:${input.port}`); it.send()',
    expects: { ...NOT_IN_NODE, ...NETWORK },
  },
  {
    name: 'navigator.sendBeacon',
    code: 'navigator.sendBeacon(`http://127.0.0.1:${input.port}`)',
    expects: { ...NOT_IN_NODE, ...NETWORK },
  },
  {
    name: 'node:net',
    code: 'const net = process.getBuiltinModule("net"); await new Promise((done) => net.connect(input.port, "127.0.0.1", done).on("error", done))',
    expects: NETWORK,
  },
  {
    name: 'node:net over a Unix socket',
    code: 'const net = require("net"); await new Promise((done) => net.connect(input.socketPath, done).on("error", done))',
    expects: NETWORK,
  },
  {
    name: 'node:http',
    code: 'const http = require("node:http"); await new Promise((done) => http.get({ port: input.port, host: "127.0.0.1" }, done).on("error", done))',
    expects: NETWORK,
  },
  {
    name: 'node:https',
    code: 'const https = require("https"); await new Promise((done) => https.get({ port: input.port, host: "127.0.0.1" }, done).on("error", done))',
    expects: NETWORK,
  },
  {
    name: 'node:http2',
    code: 'const it = require("http2").connect(`http://127.0.0.1:${input.port}`); await new Promise((done) => it.on("error", done).on("close", done))',
    expects: NETWORK,
  },
  {
    name: 'node:tls',
    code: 'const it = require("tls").connect(input.port, "127.0.0.1"); await new Promise((done) => it.on("error", done).on("close", done))',
    expects: NETWORK,
  },
  {
    name: 'node:dgram',
    code: 'const it = require("dgram").createSocket("udp4"); await new Promise((done) => it.send("x", input.udpPort, "127.0.0.1", done)); await new Promise((done) => setTimeout(done, 30))',
    expects: NETWORK,
  },
  {
    name: 'node:dns, asking a server of its own',
    code: 'const { Resolver } = require("dns").promises; const it = new Resolver({ timeout: 50, tries: 1 }); it.setServers([`127.0.0.1:${input.udpPort}`]); await it.resolve4("secret.example.com").catch(() => {})',
    expects: NETWORK,
  },
  {
    name: 'a binding of the network',
    code: 'const { TCP, TCPConnectWrap, constants } = process.binding("tcp_wrap"); const it = new TCP(constants.SOCKET); const asked = new TCPConnectWrap(); asked.oncomplete = () => {}; it.connect(asked, "127.0.0.1", input.port); await new Promise((done) => setTimeout(done, 30))',
    expects: NETWORK,
  },
  {
    name: 'an import from the network',
    code: 'return await import(`http://127.0.0.1:${input.port}/x.js`)',
    expects: { ...defensive('Node loads no module from there'), status: ['violation'] },
  },
  {
    name: 'an inspector that listens',
    code: 'require("inspector").open(0, "127.0.0.1"); return require("inspector").url() + process.env.ABUSE_CANARY',
    expects: { breaksThroughUnsandboxed: 'leak', ...NETWORK },
  },
  {
    name: 'a channel to other threads',
    code: 'const it = new BroadcastChannel("x"); it.postMessage(1); it.close()',
    expects: { ...defensive('reaches no socket'), ...NETWORK },
  },
  {
    name: 'Deno and Bun',
    code: 'try { await Deno.connect({ port: input.port }) } catch {} return await Bun.connect({ port: input.port })',
    expects: { ...NOT_IN_NODE, ...NETWORK },
  },
]);
