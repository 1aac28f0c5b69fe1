import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

// A service that works by a config file: it ends with 78 when it has none that it can use, and keeps the old one when a new one is bad.
const path = process.env['CONFIG'] ?? '';
let generation: string;
try {
  generation = load();
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exit(78);
}

function load(): string {
  const text = readFileSync(path, 'utf8');
  const config: unknown = JSON.parse(text);
  const isUsable =
    typeof config === 'object' &&
    config !== null &&
    'limit' in config &&
    typeof config.limit === 'number' &&
    config.limit <= Number(process.env['MOST'] ?? Infinity);
  if (!isUsable) throw new Error('limit must be a number');
  return createHash('sha256').update(text).digest('hex');
}

createServer((request, response) => {
  if (request.method === 'POST') {
    try {
      generation = load();
    } catch (error) {
      response.statusCode = 422;
      response.end(String(error));
      return;
    }
  }
  response.end(generation);
}).listen(Number(process.env['PORT']), '127.0.0.1');
