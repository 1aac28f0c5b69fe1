import { createServer } from 'node:http';

// Answers in a network namespace of its own, whatever address is put there later. Says what was delivered by GET /delivered.
const delivered: string[] = [];
createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on('end', () => {
    if (request.method === 'POST') delivered.push(body);
    response.end(request.url === '/delivered' ? JSON.stringify(delivered) : 'ok');
  });
}).listen(8_080, '0.0.0.0', () => process.stdout.write('listening\n'));
