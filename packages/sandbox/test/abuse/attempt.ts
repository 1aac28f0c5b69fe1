import type { RunResult, ViolationType } from '@buddy/sandbox';
import type { Harm } from './oracle.ts';

/** One way to abuse a sandbox, as data: the same code goes into every lane, and into the control. */
export interface Attempt {
  /** Completes the sentence "withstands …". */
  readonly name: string;
  readonly family: string;
  /**
   * A program as a model would hand it in: the body of an async function that finds `input` (a `Targets`) and `tools`, or
   * with `form: 'module'` a module whose default export is its value. A sandbox takes both alike.
   */
  readonly code: string;
  readonly form?: 'body' | 'module';
  readonly expects: Expectations;
}

export interface Expectations {
  /**
   * The harm that the same code does to a host that evaluates it itself. `false` for an attempt that is `defensive`: one
   * that has nothing to break through in such a host, for the reason that is given.
   */
  readonly breaksThroughUnsandboxed: Harm | false;
  readonly defensive?: string;
  /** How the run may end; default in any way, for the oracle judges. */
  readonly status?: readonly RunResult['status'][];
  /** A violation that has to be on the record. */
  readonly violation?: ViolationType;
  /** A program for the next run, and its value; default one that looks whether the language is whole. */
  readonly afterwards?: { readonly code: string; readonly value: unknown };
}

/** What an attempt is told of the traps that are laid for it; none of it is secret. */
export interface Targets {
  /** Of a TCP server and a UDP socket on 127.0.0.1. */
  readonly port: number;
  readonly udpPort: number;
  /** Of a server that listens on a Unix domain socket. */
  readonly socketPath: string;
  /** Holds a secret. */
  readonly secretFile: string;
  /** Empty, and has to stay so. */
  readonly folder: string;
  /** Of the host. */
  readonly pid: number;
}

type Row = Pick<Attempt, 'name' | 'code' | 'form'> & { readonly expects?: Partial<Expectations> };

/** The attempts of one family, which break through in one way where a row says nothing else. */
export function family(
  name: string,
  breaksThroughUnsandboxed: Harm | false,
  rows: readonly Row[],
): readonly Attempt[] {
  return rows.map((row) => ({
    ...row,
    family: name,
    expects: { breaksThroughUnsandboxed, ...row.expects },
  }));
}

export function defensive(reason: string): Partial<Expectations> {
  return { breaksThroughUnsandboxed: false, defensive: reason };
}

/** Environment variable with a secret, in the host of every lane. */
export const CANARY_VARIABLE = 'ABUSE_CANARY';
