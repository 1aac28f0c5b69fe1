import type { Program, Statement } from 'acorn';
import type { SourceEdits } from './source-edits.ts';

/** The one argument of a function that the guest's code consists of. */
export const INPUT = 'arguments[0].input';

/**
 * Makes the last statement of the program its value, as a console would: an expression is returned, and the last
 * expressions of the branches when it is a block, `if`, `try` or a label. A function that would be the value is called
 * with the input; so is the function declaration that is all the program has. Loops, `switch` and declarations have no value.
 * @returns Text to go after the code.
 */
export function returnCompletionValue(code: string, program: Program, edits: SourceEdits): string {
  const statements = program.body.filter(({ type }) => type !== 'EmptyStatement');
  const last = statements.at(-1);
  if (last === undefined || last.type.startsWith('Import') || last.type.startsWith('Export'))
    return '';
  if (last.type === 'FunctionDeclaration') {
    const others = statements.filter(({ type }) => !type.startsWith('Import'));
    return others.length === 1 ? `return ${last.id.name}(${INPUT})` : '';
  }
  if (isStatement(last)) returnValueOf(code, last, edits);
  return '';
}

function returnValueOf(code: string, statement: Statement, edits: SourceEdits): void {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other statement has a value
  switch (statement.type) {
    case 'ExpressionStatement': {
      const { expression, start, end } = statement;
      const isFunction =
        expression.type === 'ArrowFunctionExpression' || expression.type === 'FunctionExpression';
      if (!isFunction) return edits.insert(start, 'return ');
      edits.insert(start, 'return (');
      return edits.insert(code[end - 1] === ';' ? end - 1 : end, `)(${INPUT})`);
    }
    case 'BlockStatement': {
      const last = statement.body.findLast(({ type }) => type !== 'EmptyStatement');
      return last && returnValueOf(code, last, edits);
    }
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

function isStatement(node: Program['body'][number]): node is Statement {
  return !node.type.startsWith('Import') && !node.type.startsWith('Export');
}
