import { EngineMisuseError } from '../errors.ts';
import { PROTOCOL, workflowQueue } from './queues.ts';
import { CLASS } from './runtime.ts';

/** Marks what is a workflow of ours, and not a call or a permit of one. */
export const ATTRIBUTES = { buddy: 'workflow' };

/** How a workflow of ours is handed to DBOS. @throws {EngineMisuseError} When the id is none. */
export function enqueueOptions(
  name: string,
  { id, workflow, version }: { id: string; workflow: string; version: string },
) {
  if (id === '' || id.length > LONGEST_ID || id.includes('\0')) {
    throw new EngineMisuseError(
      `A workflow's id has 1 to ${LONGEST_ID} characters, none of them NUL; this one has ${id.length}: ${id.slice(0, 40)}`,
    );
  }
  return {
    workflowID: id,
    workflowName: workflow,
    workflowClassName: CLASS,
    queueName: workflowQueue(name, version),
    appVersion: PROTOCOL,
    attributes: ATTRIBUTES,
    workflowIDReusePolicy: 'reject',
  } as const;
}

/** Postgres keeps ids in indexes, whose entries have at most 2704 bytes, and notifies with at most 8000. */
const LONGEST_ID = 500;
