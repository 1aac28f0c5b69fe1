import { defensive, family } from '../attempt.ts';

export const hostDetails = family('details of the host', 'leak', [
  { name: 'the stack of an error', code: 'return new Error("x").stack' },
  {
    name: 'the stack of an error of the engine',
    code: 'try { null.x } catch (e) { return e.stack }',
  },
  {
    name: 'the stack of an error of a tool',
    code: 'try { await tools.fail({}) } catch (e) { return String(e.stack) }',
  },
  {
    name: 'an error that is thrown with its stack in its message',
    code: 'throw new Error(new Error("x").stack)',
  },
  {
    name: 'an error that is logged',
    code: 'console.error(new Error("x"), new Error("x").stack); return 1',
  },
  {
    name: 'the stack of a rejection that nobody handles',
    code: 'Promise.reject(new Error("x")); await new Promise((done) => setTimeout(done, 5)); return 1',
  },
  {
    name: 'a stack without a limit',
    code: 'Error.stackTraceLimit = Infinity; return [1].map(() => new Error("x").stack)',
  },
  {
    name: 'frames as objects',
    code: 'Error.prepareStackTrace = (_, frames) => frames.map((frame) => [frame.getFileName(), frame.getScriptNameOrSourceURL?.(), frame.getEvalOrigin(), String(frame)]); return new Error("x").stack',
  },
  {
    name: 'a stack captured onto an object',
    code: 'const it = {}; Error.captureStackTrace(it); return it.stack',
  },
  {
    name: 'a stack captured from outside',
    code: 'function probe() { const it = {}; Error.captureStackTrace(it, probe); return it.stack } return [probe()].map(String)',
  },
  {
    name: 'a stack found with its own getter',
    code: 'const { get } = Object.getOwnPropertyDescriptor(Error.prototype, "stack") ?? {}; const error = new Error("x"); return get ? get.call(error) : error.stack',
  },
  {
    name: 'a stack of an error of eval',
    code: 'try { (0, eval)("null.x") } catch (e) { return e.stack }',
  },
  {
    name: 'the stack of a stack overflow',
    code: 'const deep = () => deep(); try { deep() } catch (e) { return [e.stack, new Error("x").stack] }',
  },
  {
    name: 'the message of a loader that found nothing',
    code: 'try { require("./nothing") } catch (e) { return e.message }',
  },
  {
    name: 'the message of a dynamic import that found nothing',
    code: 'try { await import("./nothing.js") } catch (e) { return [e.message, e.stack, e.url] }',
    expects: defensive('it names the folder that a host runs in, which this one was told of'),
  },
  {
    name: 'the environment',
    code: 'return process.env',
    expects: { violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'the environment in a string',
    code: 'return JSON.stringify(Object.entries(process.env))',
  },
  {
    name: 'the arguments of the process',
    code: 'return [process.argv, process.execPath, process.execArgv, process.title]',
  },
  {
    name: 'the folder of the process',
    code: 'return [process.cwd(), require("os").homedir(), process.execPath]',
  },
  {
    name: 'the source of a function of the host',
    code: 'return [String(tools.echo), String(tools.fail), String(console.log), String(scratch.read), String(globalThis)]',
    expects: defensive('shows its text, in which no secret is'),
  },
  { name: 'the report of the process', code: 'return process.report.getReport()' },
  {
    name: 'a value with the stack of its own error',
    code: 'return { error: new Error("x"), list: [new TypeError("y")], cause: new Error("z", { cause: new Error("w").stack }) }',
  },
  {
    name: 'a type error that names what it was given',
    code: 'try { tools.none() } catch (e) { return e.message + e.stack }',
  },
  {
    name: 'a name of a file that the program gives itself',
    code: 'const it = Function("return new Error(1).stack//# sourceURL=/root/forged.js"); return [it(), new Error("x").stack]',
  },
  {
    name: 'a stack overflow inside the boundary',
    code: 'Error.stackTraceLimit = 15000; const said = []; let left = 3; const deep = (n) => { try { deep(n + 1) } catch (e) { if (left-- > 0) { said.push(e.stack); try { tools.echo({ a: { b: n } }).catch((x) => said.push(x.stack, x.message)) } catch (x) { said.push(x.stack, x.message) } } throw e } }; try { deep(0) } catch {} await null; return said.slice(0, 20).map((text) => String(text).slice(-500))',
    // How much of a stack a plain host shows depends on how deep its own was; that it lets its errors be changed does not.
    expects: { breaksThroughUnsandboxed: 'pollution' },
  },
  {
    name: 'a stack overflow inside a trap',
    code: 'const said = []; const deep = (n) => { try { deep(n + 1) } catch (e) { for (const it of [() => JSON.stringify(process.env), () => fetch, () => console.log(new Error("x")), () => scratch.read("x"), () => structuredClone({ a: [1] })]) try { said.push(String(it())) } catch (x) { said.push(String(x.message), String(x.stack)) } if (n % 7) throw e } }; try { deep(0) } catch {} return said.slice(-40)',
    expects: { breaksThroughUnsandboxed: 'leak' },
  },
  {
    name: 'the clock, to tell how long something takes',
    code: 'const from = [Date.now(), performance.now()]; for (let i = 0; i < 1e6; i++); return [Date.now() - from[0], performance.now() - from[1]]',
    expects: defensive('a channel, not a secret'),
  },
  {
    name: 'the zone and language of the host',
    code: 'return [new Intl.DateTimeFormat().resolvedOptions(), new Date(0).getTimezoneOffset(), new Date(0).toString()]',
    expects: defensive('not secret; the sandbox says UTC'),
  },
]);
