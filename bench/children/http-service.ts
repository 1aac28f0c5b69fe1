import { createServer } from 'node:http';
import process from 'node:process';

// Answers with its pid, so that who asks knows whether it is a new one.
createServer((_request, answer) => answer.end(String(process.pid))).listen(
  Number(process.env['PORT']),
  '127.0.0.1',
);
