import { defensive, family } from '../attempt.ts';

/**
 * Bodies of `async function worst(input)` in the child's place: code that has got out of everything inside, with `process`
 * and `require`. See breach-child.ts for what else is at hand: `send`, `raw`, `bytes`, `done`.
 */
const HOST_SIDE = defensive('aims at the one who reads; the control has the same reader');
const ENDS = { status: ['violation', 'limit', 'error'] } as const;
const MADE = 'input.folder + "/made"';

export const breach = family('assumed breach', 'leak', [
  // Files
  { name: 'a file that is read', code: 'return fs.readFileSync(input.secretFile, "utf8")' },
  {
    name: 'a file that is read with a promise',
    code: 'return await fs.promises.readFile(input.secretFile, "utf8")',
  },
  {
    name: 'a file that is read as a stream',
    code: 'let text = ""; for await (const part of fs.createReadStream(input.secretFile)) text += part; return text',
  },
  {
    name: 'a file that is read through a folder of the kernel',
    code: 'return fs.readFileSync("/proc/self/root" + input.secretFile, "utf8")',
  },
  {
    name: 'a file that is read with dots in its path',
    code: 'return fs.readFileSync(require("path").dirname(process.argv[1]) + "/.." .repeat(20) + input.secretFile, "utf8")',
  },
  {
    name: 'a file that is read with a path of bytes',
    code: 'return fs.readFileSync(Buffer.from(input.secretFile), "utf8")',
  },
  {
    name: 'a file that is read with a URL',
    code: 'return fs.readFileSync(require("url").pathToFileURL(input.secretFile), "utf8")',
  },
  {
    name: 'a file that is read as a blob',
    code: 'return await (await fs.openAsBlob(input.secretFile)).text()',
  },
  {
    name: 'a file that is read as a module',
    code: 'try { return require(input.secretFile) } catch (e) { return e.stack }',
  },
  {
    name: 'a file that is read by a binding',
    code: 'const it = process.binding("fs"); return it.readFileUtf8 ? it.readFileUtf8(input.secretFile, 0) : fs.readFileSync(input.secretFile, "utf8")',
  },
  {
    name: 'the environment of the host',
    code: 'return fs.readFileSync(`/proc/${input.pid}/environ`, "utf8") + process.env.ABUSE_CANARY',
  },
  { name: 'its own environment', code: 'return JSON.stringify(process.env)' },
  {
    name: 'a file that is written',
    code: `fs.writeFileSync(${MADE}, "x")`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a folder that is made',
    code: `fs.mkdirSync(${MADE})`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a link that is made',
    code: `fs.symlinkSync(input.secretFile, ${MADE})`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a hard link that is made',
    code: `fs.linkSync(input.secretFile, ${MADE})`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a file that is copied',
    code: `fs.copyFileSync(input.secretFile, ${MADE})`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a temporary folder that is made',
    code: `fs.mkdtempSync(${MADE})`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a file where it is',
    code: 'fs.writeFileSync("made-by-a-child", "x"); fs.renameSync("made-by-a-child", input.folder + "/made")',
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a report',
    code: 'process.report.directory = input.folder; process.report.writeReport("made.json")',
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a heap snapshot',
    code: `require("v8").writeHeapSnapshot(${MADE})`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a database',
    code: `const { DatabaseSync } = require("node:sqlite"); new DatabaseSync(${MADE}).exec("CREATE TABLE made (x)")`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a database that is attached',
    code: `const { DatabaseSync } = require("node:sqlite"); const it = new DatabaseSync(":memory:"); it.exec("ATTACH '" + ${MADE} + "' AS made; CREATE TABLE made.x (y)")`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a database that is found by getBuiltinModule',
    code: `const { DatabaseSync } = process.getBuiltinModule("node:sqlite"); new DatabaseSync(${MADE}).exec("CREATE TABLE made (x)")`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a cache of compiled code',
    code: 'require("module").enableCompileCache(input.folder); require("module").flushCompileCache()',
    expects: defensive('a cache is written when the process ends'),
  },
  {
    name: 'a trace of events',
    code: 'require("trace_events").createTracing({ categories: ["node"] }).enable(); await new Promise((done) => setTimeout(done, 30))',
    expects: defensive('written where the process is, and only at its end'),
  },
  {
    name: 'a coverage report',
    code: 'require("v8").takeCoverage()',
    expects: defensive('nothing is written without a variable that says where'),
  },
  {
    name: 'a permission that it drops from itself, or grants',
    code: 'try { process.permission.drop("fs.read") } catch {} try { process.permission.has = () => true } catch {} return fs.readFileSync(input.secretFile, "utf8")',
  },
  {
    name: 'intrinsics that it changes under the permission model',
    code: 'String.prototype.startsWith = () => true; Array.prototype.includes = () => true; Map.prototype.get = () => true; Object.prototype.has = () => true; return fs.readFileSync(input.secretFile, "utf8")',
  },

  // Processes
  {
    name: 'a program',
    code: `require("child_process").execFileSync("/bin/sh", ["-c", "touch " + ${MADE}])`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a program that is spawned',
    code: `await new Promise((done, fail) => require("child_process").spawn("/bin/sh", ["-c", "touch " + ${MADE}]).on("close", done).on("error", fail))`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'a program that is started by a binding',
    code: `return JSON.stringify(process.binding("spawn_sync").spawn({ file: "/bin/sh", args: ["sh", "-c", "touch " + ${MADE}], envPairs: [], stdio: [] }))`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'another program in its place',
    code: `process.execve("/bin/sh", ["sh", "-c", "touch " + ${MADE}], {})`,
    expects: { breaksThroughUnsandboxed: 'file', status: ['ok', 'error', 'violation'] },
  },
  {
    name: 'a thread',
    code: `await new Promise((done, fail) => new (require("worker_threads").Worker)("require('fs').writeFileSync(" + JSON.stringify(${MADE}) + ", '')", { eval: true, execArgv: [] }).on("exit", done).on("error", fail))`,
    expects: { breaksThroughUnsandboxed: 'file' },
  },
  {
    name: 'an addon',
    code: 'process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6")',
    expects: defensive('no addon is at hand'),
  },
  {
    name: 'a foreign function',
    code: 'const ffi = require("node:ffi"); return typeof ffi',
    expects: defensive('needs a flag in Node'),
  },
  {
    name: 'a program of WASI',
    code: 'const { WASI } = require("node:wasi"); return new WASI({ version: "preview1", preopens: { "/": "/" } }).wasiImport !== undefined',
    expects: defensive('needs a WebAssembly program to go on'),
  },
  {
    name: 'flags of V8 that are set while it runs',
    code: 'require("v8").setFlagsFromString("--allow-natives-syntax"); require("v8").setFlagsFromString("--no-use-strict"); return fs.readFileSync(input.secretFile, "utf8")',
  },
  {
    name: 'an inspector of itself',
    code: 'const inspector = require("inspector"); inspector.open(0); return inspector.url() + process.env.ABUSE_CANARY',
  },
  {
    name: 'a session of the inspector',
    code: 'const { Session } = require("inspector"); const it = new Session(); it.connect(); return await new Promise((done) => it.post("Runtime.evaluate", { expression: "process.env.ABUSE_CANARY" }, (e, r) => done(JSON.stringify([e && e.message, r]))))',
  },
  {
    name: 'the inspector of the host, opened by a signal',
    code: 'try { process._debugProcess(input.pid) } catch {} try { process._debugProcess(process.ppid) } catch {} try { process.kill(process.ppid, "SIGUSR1") } catch {} await new Promise((done) => setTimeout(done, 60)); return "signalled"',
    expects: defensive(
      'the control has the same host, which is guarded; layers.test.ts looks at the guard',
    ),
  },
  {
    name: 'hooks of modules',
    code: 'require("module").register("data:text/javascript,export const load = 1"); return 1',
    expects: defensive('a means, not a break'),
  },

  // Network
  {
    name: 'a connection',
    code: 'await new Promise((done, fail) => require("net").connect(input.port, "127.0.0.1", done).on("error", fail))',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a connection to a Unix socket',
    code: 'await new Promise((done, fail) => require("net").connect(input.socketPath, done).on("error", fail))',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a datagram',
    code: 'const it = require("dgram").createSocket("udp4"); await new Promise((done, fail) => { it.on("error", fail); it.send("x", input.udpPort, "127.0.0.1", (e) => e ? fail(e) : done()) }); await new Promise((done) => setTimeout(done, 30))',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a question to a name server',
    code: 'const { Resolver } = require("dns").promises; const it = new Resolver({ timeout: 50, tries: 1 }); it.setServers(["127.0.0.1:" + input.udpPort]); await it.resolve4("secret.example.com")',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'fetch',
    code: 'await fetch("http://127.0.0.1:" + input.port)',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a web socket',
    code: 'await new Promise((done, fail) => { const it = new WebSocket("ws://127.0.0.1:" + input.port); it.onerror = (e) => fail(new Error(e.message)); it.onopen = done })',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a request',
    code: 'await new Promise((done, fail) => require("http").get({ port: input.port, host: "127.0.0.1" }, done).on("error", fail))',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a session of HTTP 2',
    code: 'await new Promise((done, fail) => require("http2").connect("http://127.0.0.1:" + input.port).on("connect", done).on("error", fail))',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a binding of TCP',
    code: 'const { TCP, TCPConnectWrap, constants } = process.binding("tcp_wrap"); const it = new TCP(constants.SOCKET), asked = new TCPConnectWrap(); asked.oncomplete = () => {}; const code = it.connect(asked, "127.0.0.1", input.port); await new Promise((done) => setTimeout(done, 30)); return code',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a binding of Unix sockets',
    code: 'const { Pipe, PipeConnectWrap, constants } = process.binding("pipe_wrap"); const it = new Pipe(constants.SOCKET), asked = new PipeConnectWrap(); asked.oncomplete = () => {}; const code = it.connect(asked, input.socketPath); await new Promise((done) => setTimeout(done, 30)); return code',
    expects: { breaksThroughUnsandboxed: 'connection' },
  },
  {
    name: 'a module of the network',
    code: 'await import("http://127.0.0.1:" + input.port + "/x.mjs")',
    expects: defensive('Node loads no module from there'),
  },

  // The machine
  {
    name: 'a loop that never answers',
    code: 'for (;;) {}',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'silence',
    code: 'await new Promise(() => setInterval(() => {}, 1e3))',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'a deaf process',
    code: 'for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {}); process.stdin.removeAllListeners("end"); await new Promise(() => setInterval(() => {}, 1e3))',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'memory of every kind',
    code: 'const all = []; for (;;) { all.push(Buffer.alloc(5e6, 1)); all.push(new Array(1e5).fill(1.5)) }',
    expects: { ...HOST_SIDE, status: ['limit', 'error', 'ok'] },
  },
  { name: 'an abort', code: 'process.abort()', expects: { ...HOST_SIDE, status: ['error'] } },
  { name: 'an exit', code: 'process.exit(0)', expects: { ...HOST_SIDE, status: ['error'] } },
  {
    name: 'a signal to itself',
    code: 'process.kill(process.pid, "SIGSEGV"); await new Promise((done) => setTimeout(done, 1e4))',
    expects: { ...HOST_SIDE, status: ['error', 'limit'] },
  },
  {
    name: 'a closed standard output',
    code: 'fs.closeSync(1); await new Promise((done) => setTimeout(done, 1e4))',
    expects: { ...HOST_SIDE, status: ['limit', 'error'] },
  },
  {
    name: 'closed pipes, while the host writes',
    code: 'send({ type: "call", run, id: 1, tool: "echo", input: "x".repeat(9e5) }); fs.closeSync(0); await new Promise((done) => setTimeout(done, 1e4))',
    expects: { ...HOST_SIDE, status: ['limit', 'error', 'ok'] },
  },

  // The reader
  {
    name: 'bytes that are no frame',
    code: 'bytes(Buffer.alloc(1e5, 0xff))',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  { name: 'a frame of nothing', code: 'raw("")', expects: { ...HOST_SIDE, ...ENDS } },
  {
    name: 'frames of nothing, without end',
    code: 'const all = Buffer.alloc(65536); for (;;) bytes(all)',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'a length of four gigabytes',
    code: 'bytes(Buffer.from([255, 255, 255, 255, 123]))',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'the longest length, byte by byte',
    code: 'const head = Buffer.alloc(4); head.writeUInt32BE(6e6); bytes(head); for (;;) bytes(Buffer.from(" "))',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: "messages of Node's own channel",
    code: 'bytes(Buffer.from(\'{"cmd":"NODE_HANDLE_ACK"}\\n{"cmd":"NODE_CLUSTER"}\\n\'))',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: "messages of Node's own channel, in frames",
    code: 'raw(\'{"cmd":"NODE_HANDLE","type":"net.Socket"}\')',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: "Node's own channel itself",
    code: 'try { process.send({ cmd: "NODE_HANDLE_ACK" }) } catch {} try { fs.writeSync(3, "{not json\\n") } catch {} return "sent"',
    expects: { ...HOST_SIDE, status: ['ok'] },
  },
  { name: 'a frame that is a list', code: 'raw("[1]")', expects: { ...HOST_SIDE, ...ENDS } },
  { name: 'a frame that is null', code: 'raw("null")', expects: { ...HOST_SIDE, ...ENDS } },
  {
    name: 'a frame that is not UTF-8',
    code: 'const it = Buffer.from(\'....{"type":"log","run":\' + run + \',"level":"log","text":"??"}\'); it.writeUInt32BE(it.length - 4); it[it.length - 3] = 0xff; bytes(it); return "sent"',
    expects: { ...HOST_SIDE, status: ['ok', 'violation'] },
  },
  {
    name: 'a message with __proto__',
    code: 'raw(\'{"type":"done","run":\' + run + \',"isIdle":true,"outcome":{"status":"value","value":{"__proto__":{"polluted":1}}}}\')',
    expects: { ...HOST_SIDE },
  },
  {
    name: 'a message whose own keys are doubled',
    code: 'raw(\'{"type":"log","type":"done","run":\' + run + \',"level":"log","text":"x"}\')',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'a value that is nested a million deep',
    code: 'raw(\'{"type":"done","run":\' + run + \',"isIdle":true,"outcome":{"status":"value","value":\' + "[".repeat(1e6) + "]".repeat(1e6) + "}}")',
    expects: { ...HOST_SIDE },
  },
  {
    name: 'a value of tags nested deep',
    code: 'raw(\'{"type":"done","run":\' + run + \',"isIdle":true,"outcome":{"status":"value","value":\' + \'{"$":"set","v":[\'.repeat(5e4) + "]}".repeat(5e4) + "}}")',
    expects: { ...HOST_SIDE },
  },
  {
    name: 'a value with a tag that there is not',
    code: 'done({ status: "value", value: { $: "constructor", v: 1 } }); await new Promise((end) => setTimeout(end, 1e3))',
    expects: { ...HOST_SIDE },
  },
  {
    name: 'a date, a bigint and an error that are not',
    code: 'done({ status: "value", value: [{ $: "date", v: 1e300 }, { $: "bigint", v: "9".repeat(1300) }, { $: "error", v: { name: "x".repeat(1e5), message: "y" } }] }); await new Promise((end) => setTimeout(end, 1e3))',
    expects: { ...HOST_SIDE },
  },
  {
    name: 'an enormous place of an error',
    code: 'done({ status: "thrown", thrown: { name: "E", message: "m", line: 2 ** 53 - 1, column: 2 ** 53 - 1 }, violation: null }); await new Promise((end) => setTimeout(end, 1e3))',
    expects: { ...HOST_SIDE, status: ['violation'] },
  },
  {
    name: 'a violation that never was, with control characters',
    code: 'send({ type: "violation", run, violation: { type: "TIMEOUT", details: "\\u001b[2J\\n{\\"forged\\":1}", line: 1e15 } }); return "sent"',
    expects: { ...HOST_SIDE },
  },
  {
    name: 'violations without end',
    code: 'for (;;) send({ type: "violation", run, violation: { type: "TIMEOUT", details: "x".repeat(1000), line: 1 } })',
    expects: { ...HOST_SIDE, status: ['violation'] },
  },
  {
    name: 'a log without end',
    code: 'for (;;) send({ type: "log", run, level: "log", text: "x".repeat(1000) })',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'empty lines of log without end',
    code: 'for (;;) send({ type: "log", run, level: "log", text: "" })',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'a standard error without end',
    code: 'const all = "x".repeat(65536); for (;;) fs.writeSync(2, all)',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'a standard error that claims to be out of memory',
    code: 'fs.writeSync(2, "FATAL ERROR: heap limit Allocation failed\\n"); process.exit(5)',
    expects: { ...HOST_SIDE, status: ['limit', 'error'] },
  },
  {
    name: 'said to be ready again',
    code: 'send({ type: "ready" })',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'started again and again',
    code: 'for (;;) send({ type: "started", run })',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'messages of another run, without end',
    code: 'for (;;) send({ type: "log", run: run + 1, level: "log", text: "x".repeat(5e4) })',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'a call of a tool that there is not',
    code: 'send({ type: "call", run, id: 1, tool: "constructor", input: null })',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'a call of a tool called __proto__',
    code: 'raw(\'{"type":"call","run":\' + run + \',"id":1,"tool":"__proto__","input":null}\')',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'calls without end',
    code: 'for (let id = 1; ; id++) send({ type: "call", run, id, tool: "echo", input: id })',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'calls of what never answers, without end',
    code: 'for (let id = 1; ; id++) send({ type: "call", run, id, tool: "wait", input: id })',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'large calls of what never answers',
    code: 'for (let id = 1; ; id++) send({ type: "call", run, id, tool: "wait", input: "x".repeat(9e5) })',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'a call after the end',
    code: 'done({ status: "value", value: 1 }); send({ type: "call", run, id: 1, tool: "echo", input: 1 }); await new Promise((end) => setTimeout(end, 1e3))',
    expects: { ...HOST_SIDE, status: ['ok'] },
  },
  {
    name: 'an end that is said twice, with two values',
    code: 'done({ status: "value", value: 1 }); done({ status: "value", value: 2 }); return 3',
    expects: { ...HOST_SIDE, status: ['ok'] },
  },
  {
    name: 'a number of a question that is wrong',
    code: 'send({ type: "call", run, id: 7, tool: "echo", input: 1 })',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'a number of a question that is used twice',
    code: 'send({ type: "call", run, id: 1, tool: "echo", input: 1 }); send({ type: "timer", run, id: 1, ms: 1 })',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'timers without end',
    code: 'for (let id = 1; ; id++) send({ type: "timer", run, id, ms: 2 ** 31 - 1 })',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'timers that end at once, without end',
    code: 'for (let id = 1; ; id++) send({ type: "timer", run, id, ms: 0 })',
    expects: { ...HOST_SIDE, status: ['limit'] },
  },
  {
    name: 'a timer of a strange time',
    code: 'raw(\'{"type":"timer","run":\' + run + \',"id":1,"ms":1e999}\')',
    expects: { ...HOST_SIDE, ...ENDS },
  },
  {
    name: 'an input of a tool that its schema has to read for long',
    code: 'send({ type: "call", run, id: 1, tool: "echo", input: Array.from({ length: 2e5 }, (_, i) => ({ $: "map", v: [[i, i]] })) }); await new Promise((end) => setTimeout(end, 1e3))',
    expects: { ...HOST_SIDE },
  },
  {
    name: 'a value of far more items than a value may have',
    code: 'raw(\'{"type":"done","run":\' + run + \',"isIdle":true,"outcome":{"status":"value","value":[\' + "1,".repeat(1e6) + "1]}}"); await new Promise(() => {})',
    expects: { ...HOST_SIDE, ...ENDS }, // on a busy machine its time is over before it has all come
  },
  {
    name: 'a value of far more empty lists than a value may have',
    code: 'raw(\'{"type":"done","run":\' + run + \',"isIdle":true,"outcome":{"status":"value","value":[\' + "[[]],".repeat(5e5) + "1]}}"); await new Promise(() => {})',
    expects: { ...HOST_SIDE, ...ENDS }, // on a busy machine its time is over before it has all come
  },
  {
    name: 'an input far larger than an input may be',
    code: 'raw(\'{"type":"call","run":\' + run + \',"id":1,"tool":"echo","input":[\' + "1,".repeat(1e6) + "1]}"); await new Promise(() => {})',
    expects: { ...HOST_SIDE, ...ENDS },
  },
]);
