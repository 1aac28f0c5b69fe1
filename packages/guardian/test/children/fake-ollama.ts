import { type ChildProcess, fork } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

// A server with the part of Ollama's API that a guardian uses, and like Ollama with a process of its own for each loaded
// model: what computes can be killed or hang while the server answers.

interface Runner {
  child: ChildProcess;
  waiting: Map<number, (answer: { token: string } | { error: string }) => void>;
}

const known = (process.env['MODELS'] ?? 'tiny:latest').split(',');
/** Ms until it notices that a runner is no more: until then it takes requests for it, and lists its model. */
const noticesAfterMs = Number(process.env['NOTICES_AFTER_MS'] ?? 0);
const runners = new Map<string, Runner>();
let requests = 0;

if (process.send) compute();
else serve();

/** The runner: says a token for each prompt. */
function compute(): void {
  process.on('message', ({ id }: { id: number }) => process.send?.({ id, token: 'ok' }));
  // Like Ollama's, it outlives a server that was killed.
  process.on('disconnect', () => setInterval(() => undefined, 60_000));
  process.send?.('ready');
}

function serve(): void {
  createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      answer(response, 500, { error: String(error) });
    });
  }).listen(Number(process.env['PORT']), '127.0.0.1');
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url } = request;
  if (url === '/api/version') return answer(response, 200, { version: '0.0.0-fake' });
  if (url === '/api/ps') {
    return answer(response, 200, { models: [...runners.keys()].map((name) => ({ name })) });
  }
  if (url === '/api/generate') return generate(JSON.parse(await textOf(request)), response);
  answer(response, 404, { error: 'not found' });
}

interface Generate {
  model: string;
  prompt?: string;
  keep_alive?: string | number;
}

async function generate({ model, prompt, keep_alive }: Generate, response: ServerResponse) {
  if (!known.includes(model)) {
    return answer(response, 404, { error: `model '${model}' not found` });
  }
  if (prompt === undefined && keep_alive === 0) {
    runners.get(model)?.child.kill('SIGKILL');
    runners.delete(model);
    return answer(response, 200, { model, response: '', done: true, done_reason: 'unload' });
  }
  const runner = runners.get(model) ?? (await load(model));
  if (prompt === undefined) {
    return answer(response, 200, { model, response: '', done: true, done_reason: 'load' });
  }
  const id = (requests += 1);
  const said = await new Promise<{ token: string } | { error: string }>((resolve) => {
    runner.waiting.set(id, resolve);
    runner.child.send({ id }, (error) => {
      if (error) resolve({ error: `llama runner does not answer: ${error.message}` });
    });
  });
  if ('error' in said) return answer(response, 500, said);
  answer(response, 200, { model, response: said.token, done: true, done_reason: 'length' });
}

async function load(model: string): Promise<Runner> {
  const child = fork(new URL(import.meta.url).pathname);
  const runner: Runner = { child, waiting: new Map() };
  runners.set(model, runner);
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', () => reject(new Error('llama runner process has terminated')));
  });
  const forget = (reason: string) => {
    if (runners.get(model) === runner) runners.delete(model);
    for (const resolve of runner.waiting.values()) {
      resolve({ error: `llama runner process has terminated: ${reason}` });
    }
  };
  child.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null || !('id' in message)) return;
    runner.waiting.get(Number(message.id))?.({ token: 'ok' });
    runner.waiting.delete(Number(message.id));
  });
  child.once('exit', (_code, signal) => {
    const reason = signal ?? 'exit';
    if (noticesAfterMs === 0) forget(reason);
    else setTimeout(forget, noticesAfterMs, reason);
  });
  await ready;
  return runner;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
