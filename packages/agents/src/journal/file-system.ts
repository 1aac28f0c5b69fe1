import { statfsSync } from 'node:fs';
import { JournalOpenError } from './errors.ts';

/** Of file systems whose locks and syncs cannot be relied upon, as Linux's `statfs` names them. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x47504653, 'GPFS'],
  [0x0bd00bd0, 'Lustre'],
]);

/** @throws {JournalOpenError} When the folder is on a network file system. */
export function refuseNetworkFileSystem(
  folder: string,
  fileSystemOf: (folder: string) => number = (path) => statfsSync(path).type,
): void {
  const name = NETWORK_FILE_SYSTEMS.get(fileSystemOf(folder) >>> 0);
  if (name === undefined) return;
  throw new JournalOpenError(
    `${folder} is on ${name}, whose locks cannot be relied upon; put the journal on a local disk`,
  );
}
