import { z } from 'zod';

/** How much harm a failure would do, in the predictor's eyes. Informs people; never lowers a tool's tier. */
export type RiskAssessment = 'LOW' | 'MEDIUM' | 'HIGH';

/** What a predictor expects of a piece of work, and the work itself. */
export interface Prediction {
  taskId: string;
  wave: number;
  /** The agent that the predictor would give it to. A suggestion. */
  agentId: string | null;
  /** That the task succeeds within its retry budget, 0..1. */
  successProbability: number;
  /** Higher goes first. */
  priority: number;
  /** The tool to call; undefined: the harness's default action. */
  action: string | undefined;
  input: unknown;
  /** Undefined: learnt from the other tasks. */
  durationMs: number | undefined;
  /** How sure the predictor is of its own number, 0..1; not a second probability. */
  confidence: number;
  riskAssessment: RiskAssessment | undefined;
  dependsOn: readonly string[];
  /** The rules of thumb that the predictor used, by name. */
  heuristics: readonly string[];
}

/** Programs go to the sandbox: `code` is short for this action. */
export const CODE_ACTION = 'sandbox.run';

/** A microsecond, and about four months: what lies beyond is a mistake, and would swamp every sum it enters. */
const SHORTEST_S = 1e-6;
const LONGEST_S = 1e7;

const PredictionLine = z
  .object({
    task_id: z
      .string()
      .min(1)
      .max(256)
      .refine((id) => id.isWellFormed(), 'must be well-formed Unicode'),
    wave: z.int().min(1).default(1),
    agent_id: z.string().max(256).nullish(),
    predicted_success_probability: z.number().min(0).max(1),
    priority: z.int().default(0),
    action: z.string().min(1).max(128).optional(),
    input: z.unknown().optional(),
    code: z.string().min(1).optional(),
    /** Seconds. */
    predicted_execution_time: z.number().min(SHORTEST_S).max(LONGEST_S).nullish(),
    confidence: z.number().min(0).max(1).default(0.5),
    risk_assessment: z.enum(['LOW', 'MEDIUM', 'HIGH']).optional(),
    depends_on: z.array(z.string().min(1)).default([]),
    heuristics: z.array(z.string()).default([]),
  })
  .refine((line) => line.code === undefined || line.action === undefined, {
    path: ['code'],
    message: 'a line has either an action or code, not both',
  });

const NONE: readonly string[] = Object.freeze([]);

/**
 * One line of `predicted_tasks.jsonl`. Keys that Buddy does not know are passed over, so that files of the original
 * system, and of newer ones, load unchanged.
 */
export const PredictionRecord = PredictionLine.transform((line): Prediction => ({
  taskId: line.task_id,
  wave: line.wave,
  agentId: line.agent_id ?? null,
  successProbability: line.predicted_success_probability,
  priority: line.priority,
  action: line.code === undefined ? line.action : CODE_ACTION,
  // Every try is handed the same object: a tool that writes on it hears so at once.
  input: frozen(line.code === undefined ? line.input : { code: line.code }),
  durationMs:
    typeof line.predicted_execution_time === 'number'
      ? line.predicted_execution_time * 1000
      : undefined,
  confidence: line.confidence,
  riskAssessment: line.risk_assessment,
  dependsOn: line.depends_on.length > 0 ? line.depends_on : NONE,
  heuristics: line.heuristics.length > 0 ? line.heuristics : NONE,
}));

/** Freezes JSON all through; with a stack of its own, for a line may be nested deeper than the call stack. */
function frozen(value: unknown): unknown {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    Object.freeze(next);
    for (const inner of Object.values(next)) left.push(inner);
  }
  return value;
}
