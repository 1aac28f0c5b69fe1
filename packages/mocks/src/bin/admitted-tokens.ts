import { readFileSync, statSync } from 'node:fs';
import { BuddyError, parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { IsAdmitted } from '../exchange/is-admitted.ts';

/** The file of tokens that are let in cannot be read. Nobody is let in then. */
class AdmittedTokensError extends BuddyError {
  readonly code = 'MOCKS_ADMITTED_TOKENS_INVALID';
}

const Tokens = z.array(z.string().min(1));

/**
 * Lets in by a file, a JSON list of tokens, which is looked at for each call: whoever changes it rotates the tokens of a
 * server that runs.
 * @throws {AdmittedTokensError} When it cannot be read now. Later, when it cannot be read, nobody is let in.
 */
export function admittedBy(file: string): IsAdmitted {
  let known = { changed: changeOf(file), tokens: read(file) };
  return (token) => {
    try {
      const changed = changeOf(file);
      if (changed !== known.changed) known = { changed, tokens: read(file) };
    } catch (error) {
      if (error instanceof AdmittedTokensError) return false; // who may come in is not known
      throw error;
    }
    return known.tokens.has(token);
  };
}

function changeOf(file: string): string {
  try {
    const { mtimeNs, ino, size } = statSync(file, { bigint: true });
    return `${mtimeNs} ${ino} ${size}`;
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function read(file: string): ReadonlySet<string> {
  try {
    const text = readFileSync(file, 'utf8');
    return new Set(parseOrThrow(Tokens, JSON.parse(text), `tokens in ${file}`));
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** Without what stands in it: these are secrets. */
function unreadable(file: string, cause: unknown): AdmittedTokensError {
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new AdmittedTokensError(
    `--admit ${file} is no JSON list of tokens that can be read${code}; write it, such as ["pit-1"]`,
  );
}
