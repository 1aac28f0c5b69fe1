import { BuddyError } from '../errors.ts';

/** The folder of the sockets is not safe: somebody else could have put a socket there. */
export class SocketFolderError extends BuddyError {
  readonly code = 'CORE_SOCKET_FOLDER';
  readonly folder: string;

  constructor(folder: string) {
    super(`${folder} has to be a folder of this user that nobody else may enter; remove it.`);
    this.folder = folder;
  }
}
