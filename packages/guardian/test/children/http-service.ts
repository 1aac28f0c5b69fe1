import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

// A service as small as one can be: it answers, and ends or hangs when it is told to by a signal.
const port = Number(process.env['PORT'] ?? 0);
const portFile = process.env['PORT_FILE'];
const server = createServer((_request, response) => response.end('ok\n'));
server.listen(port, '127.0.0.1', () => {
  const address = server.address();
  if (portFile !== undefined && typeof address === 'object' && address !== null) {
    writeFileSync(portFile, String(address.port));
  }
});
