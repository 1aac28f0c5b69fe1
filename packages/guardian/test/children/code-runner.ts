import { createInterface } from 'node:readline';

// Runs code that it is sent, with no more rights than its command line leaves it.
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, code }: { id: number; code: string } = JSON.parse(line);
  const say = (answer: object) => process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`);
  (async () => {
    // oxlint-disable-next-line typescript/no-implied-eval -- that is what it is for
    const value: unknown = await new Function(`return (async () => { ${code} })()`)();
    say({ status: 'ok', value });
  })().catch((error: unknown) => {
    const isDenied =
      error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED';
    say({ status: isDenied ? 'violation' : 'error' });
  });
});
