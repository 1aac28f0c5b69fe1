export {
  Bot,
  BotDefinition,
  type BotDefinitionInput,
  BotExit,
  BotId,
  BotRole,
  Deployment,
  ExitKind,
  Liveness,
  ProcessIdentity,
  Readiness,
  ResourceLimits,
  RestartPolicy,
  TemplateName,
} from './bot/bot.ts';
export { BOT_STATUSES, type BotStatus, isLegalMove, LEGAL_MOVES } from './bot/status.ts';
