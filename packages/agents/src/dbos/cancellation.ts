import type { DBOSClient, WorkflowStatus } from '@dbos-inc/dbos-sdk';
import type { Books } from './books.ts';
import { type Mail, MAIL_TOPIC } from './mail.ts';
import { childrenOf, isRunning } from './views.ts';

/** First that it is cancelled, then what is below: so whoever spawns meanwhile either is seen here or sees it. */
export async function cancelAll(
  { client, books }: { client: DBOSClient; books: Books },
  roots: readonly WorkflowStatus[],
  reason: string,
): Promise<void> {
  const mail: Mail = { kind: 'cancel', reason };
  let level = roots;
  while (level.length > 0) {
    const ids = level.flatMap((status) => (isRunning(status) ? [status.workflowID] : []));
    await books.cancel(ids, reason);
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE);
      await Promise.all(some.map((id) => client.send(id, mail, MAIL_TOPIC, 'cancel')));
    }
    level = await childrenOf(
      client,
      level.map(({ workflowID }) => workflowID),
    );
  }
}

/** As many as leave connections for others. */
const AT_ONCE = 4;
