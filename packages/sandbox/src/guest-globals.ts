/** What the language itself brings into every compartment. */
export const LANGUAGE_GLOBALS = words(`
  AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView
  Date Error EvalError Float32Array Float64Array Function Infinity Int16Array Int32Array
  Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError
  ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError URIError
  Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakSet decodeURI
  decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN
  parseFloat parseInt undefined unescape
`);

/** What this package adds. */
const SANDBOX_GLOBALS = words(`
  AbortController AbortSignal TextDecoder TextEncoder URL URLSearchParams atob btoa
  clearImmediate clearInterval clearTimeout console crypto input performance queueMicrotask
  scratch setImmediate setInterval setTimeout structuredClone tools
`);

/** What a program may expect of a browser or of Node and will not get: each says so when it is touched. */
export const TRAPPED_GLOBALS = words(`
  Atomics BroadcastChannel Bun Deno EventSource FinalizationRegistry MessageChannel
  ServiceWorker SharedArrayBuffer SharedWorker WeakRef WebAssembly WebSocket WebTransport
  Worker XMLHttpRequest caches fetch importScripts indexedDB localStorage navigator process
  require sessionStorage
`);

/** Every name a program can use without declaring it. */
export const GUEST_GLOBALS: readonly string[] = [
  ...LANGUAGE_GLOBALS,
  ...SANDBOX_GLOBALS,
  ...TRAPPED_GLOBALS,
];

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
