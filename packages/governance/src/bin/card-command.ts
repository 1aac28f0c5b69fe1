import { z } from 'zod';
import { openAuditLog } from '../audit/audit-log.ts';
import { describeCard } from '../audit/describe-card.ts';
import { defineCommand, fitForTerminal } from './command.ts';
import { Database, DATABASE } from './values.ts';

export const card = defineCommand({
  name: 'card',
  about: 'Shows what waits, what was denied within a day, decisions by tier, and the last ten.',
  operands: [],
  options: { database: DATABASE },
  notes: `It may be read by whoever may read the database; the roles are those of people that a service has authenticated.`,
  schema: z.strictObject({ database: Database }),
  run: ({ database }, { clock }) => {
    using log = openAuditLog(database);
    return fitForTerminal(describeCard(log.card(clock.now())));
  },
});
