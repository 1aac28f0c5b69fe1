import { type Permission, type Person, requirePermission } from '../roles/roles.ts';
import type { AuditLog } from './audit-log.ts';
import type { ExportRange } from './export-log.ts';

/** The log as one person may read it. All of it throws `PermissionDeniedError` where his role may not. */
export interface PersonalAudit extends AuditLog {
  /** The records, in order and character for character; needs `audit.export`. */
  records(range?: ExportRange): Generator<string>;
}

/**
 * The log as one person may read it, by the matrix of roles: for servers, which hand requests of people on.
 * @example
 * auditFor(governance.audit, person).card(Date.now());
 */
export function auditFor(log: AuditLog, person: Person): PersonalAudit {
  const when =
    <Given extends unknown[], Answer>(
      permission: Permission,
      read: (...given: Given) => Answer,
    ): ((...given: Given) => Answer) =>
    (...given) => {
      requirePermission(person, permission);
      return read(...given);
    };
  return {
    size: when('audit.read', () => log.size()),
    entry: when('audit.read', (seq: number) => log.entry(seq)),
    record: when('audit.read', (seq: number) => log.record(seq)),
    query: when('audit.read', (query: Parameters<AuditLog['query']>[0]) => log.query(query)),
    checkpoint: when('audit.read', () => log.checkpoint()),
    proveInclusion: when('audit.read', (seq: number) => log.proveInclusion(seq)),
    proveConsistency: when('audit.read', (oldSize: number) => log.proveConsistency(oldSize)),
    card: when('card.read', (now: number) => log.card(now)),
    records: when('audit.export', (range?: ExportRange) => recordsOf(log, range)),
  };
}

function* recordsOf(log: AuditLog, { from = 0, to = log.size() }: ExportRange = {}) {
  for (let seq = from; seq < Math.min(to, log.size()); seq += 1) yield log.record(seq);
}
