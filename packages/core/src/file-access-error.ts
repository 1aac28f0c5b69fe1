import { BuddyError } from './errors.ts';

/** What was being done with a file when it failed. */
export type FileOperation = 'read' | 'append' | 'write';

/** A file cannot be read or written; the message says which, and why. `cause` is the error of the system. */
export class FileAccessError extends BuddyError {
  readonly code = 'CORE_FILE_ACCESS';
  readonly operation: FileOperation;
  readonly path: string;

  constructor(operation: FileOperation, path: string, cause: unknown) {
    super(`Cannot ${VERBS[operation]} ${path}: ${reasonOf(cause, operation)}`, {
      cause,
      effect: operation === 'read' ? 'none' : 'unknown',
    });
    this.operation = operation;
    this.path = path;
  }
}

const VERBS: Record<FileOperation, string> = { read: 'read', append: 'append to', write: 'write' };

function reasonOf(cause: unknown, operation: FileOperation): string {
  if (!(cause instanceof Error)) return String(cause);
  switch ('code' in cause ? cause.code : undefined) {
    case 'ENOENT':
      return operation === 'read' ? 'there is no such file' : 'its folder does not exist';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOTDIR':
      return 'a part of the path is not a folder';
    case 'EACCES':
    case 'EPERM':
      return 'this process may not; check the permissions';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return cause.message;
  }
}
