import { createFolderDisk } from '@buddy/guardian';

// Looks at the disk below a folder from a process with limits of its own, and tells what it saw.
process.on('SIGXFSZ', () => undefined); // the write is to fail, and not the process
const disk = createFolderDisk({ path: process.argv[2] ?? '', ballastBytes: 0, reserveBytes: 0 });
process.stdout.write(JSON.stringify(await disk.probe(new AbortController().signal)));
