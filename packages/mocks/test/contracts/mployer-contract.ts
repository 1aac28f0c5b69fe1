import { existsSync } from 'node:fs';
import type { GivenAnswer } from '../../src/wire/answer-channel.ts';
import { OpenApiContract } from './open-api.ts';

const FILE = 'mployer.openapi.json';
const contract = existsSync(new URL(FILE, import.meta.url)) ? new OpenApiContract(FILE) : undefined;

/** What is wrong with an answer of Mployer, by the contract that we made for it. */
export function mployerProblems({ request, answer }: GivenAnswer): string[] {
  if (contract === undefined) return [`${FILE} is not written yet`];
  const { status, text } = answer;
  const body: unknown = text === undefined ? undefined : JSON.parse(text);
  const operation = contract.operation(request.method, request.path);
  if (operation === undefined && status < 400) return ['no such operation in the contract'];
  const schema = operation ? contract.schemaOf(operation, status) : '#/components/schemas/Error';
  if (schema === undefined && operation !== undefined) {
    return [`status ${status} is none of ${contract.statusesOf(operation).join(', ')}`];
  }
  if (typeof schema !== 'string') return body === undefined ? [] : ['a body where there is none'];
  return contract.problemsOf(body, schema, () => false);
}
