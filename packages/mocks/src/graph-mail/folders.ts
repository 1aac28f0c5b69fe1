import { FOLDER_NAMES, FOLDERS, type Mailbox, type MailboxView } from './mailbox.ts';
import { badRequest, itemNotFound } from './refusal.ts';

/** A folder as it can be read at one moment. */
export interface FolderView {
  readonly id: string;
  readonly displayName: string;
  readonly parentFolderId: string;
  readonly childFolderCount: number;
  readonly unreadItemCount: number;
  readonly totalItemCount: number;
  readonly isRoot: boolean;
}

/** The folders, by name, and the one that holds them all. */
export function foldersOf(mailbox: Mailbox, view: MailboxView): readonly FolderView[] {
  const root = mailbox.folderId('msgfolderroot');
  const folders = FOLDER_NAMES.map((name): FolderView => {
    const id = mailbox.folderId(name);
    const messages = view.messages(id);
    return {
      id,
      displayName: FOLDERS[name],
      parentFolderId: root,
      childFolderCount: 0,
      unreadItemCount: messages.filter(({ isRead }) => !isRead).length,
      totalItemCount: messages.length,
      isRoot: false,
    };
  });
  const top: FolderView = {
    id: root,
    displayName: 'Top of Information Store',
    parentFolderId: mailbox.folderId('root'),
    childFolderCount: folders.length,
    unreadItemCount: 0,
    totalItemCount: 0,
    isRoot: true,
  };
  return [...folders, top];
}

/** Takes an id or a well-known name, in any case. @throws {GraphRefusal} When there is no such folder. */
export function folderIdOf(idOrName: string, mailbox: Mailbox): string {
  const lower = idOrName.toLowerCase();
  const known = [...FOLDER_NAMES, 'msgfolderroot' as const];
  for (const name of known) {
    const id = mailbox.folderId(name);
    if (name === lower || id === idOrName) return id;
  }
  if (/^A[AQ][Mk][\w-]{20,200}={0,2}$/.test(idOrName)) throw itemNotFound();
  throw badRequest('Id is malformed.', 'ErrorInvalidIdMalformed');
}
