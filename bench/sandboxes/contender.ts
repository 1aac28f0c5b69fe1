/** One way to run code that nobody vouches for. */
export interface SandboxContender {
  name: string;
  /** What its host's Node has to be started with. */
  nodeOptions?: readonly string[];
  /** @throws When its package is not installed here. */
  open(options: OpenOptions): Promise<OpenSandbox>;
}

export interface OpenOptions {
  /**
   * What each run gets for itself. `fresh`: the most separate thing the contender has (a process, an isolate, an engine, a
   * thread). `again`: only new globals, in what has run code before.
   */
  kind: 'fresh' | 'again';
  timeoutMs: number;
  memoryMb: number;
  /** What code finds as `call`. */
  call: (n: number) => Promise<number>;
}

export interface OpenSandbox {
  /**
   * Runs an expression; a promise is awaited.
   * @throws When the sandbox stopped it.
   */
  run(expression: string): Promise<unknown>;
  close(): Promise<void> | void;
}
