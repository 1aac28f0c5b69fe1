import type { Expression, Program, Statement } from 'acorn';
import type { SourceEdits } from './source-edits.ts';

/** The one argument of a function that the guest's code consists of. */
export const INPUT = 'arguments[0].input';

/**
 * Makes the last statement of the program its value, as a console would: an expression is returned, and the last
 * expressions of the branches when it is a block, `if`, `switch`, `try` or a label. A function that would be the value is
 * called with the input; so is the function declaration that is all the program has. Loops and declarations have no value.
 * @returns Text to go after the code.
 */
export function returnCompletionValue(code: string, program: Program, edits: SourceEdits): string {
  const statements = program.body.filter(({ type }) => type !== 'EmptyStatement');
  const last = statements.at(-1);
  if (last === undefined || last.type.startsWith('Import') || last.type.startsWith('Export'))
    return '';
  if (last.type === 'ExpressionStatement' && last.expression.type === 'Identifier') {
    const { name } = last.expression;
    if (statements.some((statement) => namesFunction(statement, name)))
      edits.insert(last.expression.end, `(${INPUT})`);
  }
  if (last.type === 'FunctionDeclaration') {
    const others = statements.filter(({ type }) => !type.startsWith('Import'));
    return others.length === 1 ? `return ${last.id.name}(${INPUT})` : '';
  }
  if (isStatement(last)) returnValueOf(code, last, edits);
  return '';
}

/** `async function main() {…}` or `const main = async () => {…}`: whoever ends with its name means it to be called. */
function namesFunction(statement: Program['body'][number], name: string): boolean {
  if (statement.type === 'FunctionDeclaration') return statement.id.name === name;
  if (statement.type !== 'VariableDeclaration' || statement.kind !== 'const') return false;
  return statement.declarations.some(
    ({ id, init }) => id.type === 'Identifier' && id.name === name && init && isFunction(init),
  );
}

function isFunction({ type }: Expression): boolean {
  return type === 'ArrowFunctionExpression' || type === 'FunctionExpression';
}

function returnValueOf(code: string, statement: Statement, edits: SourceEdits): void {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other statement has a value
  switch (statement.type) {
    case 'ExpressionStatement': {
      const { expression, start, end } = statement;
      if (!isFunction(expression)) return edits.insert(start, 'return ');
      edits.insert(start, 'return (');
      return edits.insert(code[end - 1] === ';' ? end - 1 : end, `)(${INPUT})`);
    }
    case 'BlockStatement':
      return returnLastOf(code, statement.body, edits);
    case 'SwitchStatement':
      for (const { consequent } of statement.cases) {
        // A case that goes on with the next one has no value of its own, but for the last.
        const isLast = consequent === statement.cases.at(-1)?.consequent;
        const body = statementsOf(consequent);
        const ends = body.at(-1)?.type === 'BreakStatement';
        if (ends || isLast) returnLastOf(code, ends ? body.slice(0, -1) : body, edits);
      }
      return undefined;
    case 'IfStatement':
      returnValueOf(code, statement.consequent, edits);
      return statement.alternate ? returnValueOf(code, statement.alternate, edits) : undefined;
    case 'TryStatement':
      returnValueOf(code, statement.block, edits);
      return statement.handler ? returnValueOf(code, statement.handler.body, edits) : undefined;
    case 'LabeledStatement':
      return returnValueOf(code, statement.body, edits);
    default:
  }
}

function returnLastOf(code: string, statements: readonly Statement[], edits: SourceEdits): void {
  const last = statements.findLast(({ type }) => type !== 'EmptyStatement');
  if (last) returnValueOf(code, last, edits);
}

/** Of a case, also when they stand in a block of its own. */
function statementsOf(consequent: readonly Statement[]): readonly Statement[] {
  const statements = consequent.filter(({ type }) => type !== 'EmptyStatement');
  const [only] = statements;
  return statements.length === 1 && only?.type === 'BlockStatement' ? only.body : statements;
}

function isStatement(node: Program['body'][number]): node is Statement {
  return !node.type.startsWith('Import') && !node.type.startsWith('Export');
}
