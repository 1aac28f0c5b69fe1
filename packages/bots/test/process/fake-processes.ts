import {
  type Adoption,
  type EndableTree,
  type Launch,
  LaunchError,
  type Processes,
  type ProcessEnd,
  type ProcessIdentity,
  type ProcessTree,
  type TreeUsage,
} from '@buddy/bots';

const FAKE_BOOT = 'fake-boot';

/** A process of nobody's machine, which does what a test tells it to. */
export class FakeProcess implements ProcessTree {
  readonly identity: ProcessIdentity;
  readonly launch: Launch;
  readonly signals: NodeJS.Signals[] = [];
  readonly #exited = Promise.withResolvers<ProcessEnd>();
  isRunning = true;
  isStubborn = false;
  usage: Omit<TreeUsage, 'processes'> = { rssBytes: 1_000_000, cpuMs: 0 };

  constructor(pid: number, launch: Launch) {
    this.identity = { pid, startedAtTicks: String(pid * 100), bootId: FAKE_BOOT };
    this.launch = launch;
  }

  get exited(): Promise<ProcessEnd> {
    return this.#exited.promise;
  }

  write(stream: 'stdout' | 'stderr', text: string): void {
    this.launch.onOutput(stream, Buffer.from(text));
  }

  exit(exitCode: number | null, signal: NodeJS.Signals | null = null): void {
    this.isRunning = false;
    this.#exited.resolve({ exitCode, signal, isKernelOutOfMemory: false });
  }

  async signal(signal: NodeJS.Signals): Promise<number> {
    if (!this.isRunning) return 0;
    this.signals.push(signal);
    if (signal === 'SIGKILL' || !this.isStubborn) this.exit(null, signal);
    return 1;
  }

  async survivors(): Promise<readonly number[]> {
    return this.isRunning ? [this.identity.pid] : [];
  }

  release(): void {}

  leave(): void {}
}

/** @param begin What each process does when it starts, by its command. */
export class FakeProcesses implements Processes {
  readonly #begin: (process: FakeProcess) => void;
  readonly launched: FakeProcess[] = [];

  constructor(begin: (process: FakeProcess) => void = () => undefined) {
    this.#begin = begin;
  }

  /** The one that was launched last. */
  get last(): FakeProcess {
    const last = this.launched.at(-1);
    if (!last) throw new Error('Nothing was launched');
    return last;
  }

  async launch(launch: Launch): Promise<ProcessTree> {
    if (launch.command === 'missing') {
      throw new LaunchError(launch.command, 'there is no such program', true, undefined);
    }
    const process = new FakeProcess(1_001 + this.launched.length, launch);
    this.launched.push(process);
    queueMicrotask(() => this.#begin(process));
    return process;
  }

  async adopt({ identity, mark }: Adoption): Promise<ProcessTree | undefined> {
    return this.launched.find(
      (process) =>
        process.isRunning &&
        process.launch.mark === mark &&
        JSON.stringify(process.identity) === JSON.stringify(identity),
    );
  }

  async remains(mark: string): Promise<EndableTree> {
    const process = this.launched.findLast(({ launch }) => launch.mark === mark);
    return (
      process ?? { signal: async () => 0, survivors: async () => [], release: () => undefined }
    );
  }

  async usage(trees: readonly ProcessTree[]): Promise<readonly (TreeUsage | undefined)[]> {
    return trees.map((tree) => {
      const process = this.launched.find((launched) => launched === tree);
      return process?.isRunning ? { processes: 1, ...process.usage } : undefined;
    });
  }

  async close(): Promise<void> {
    for (const process of this.launched) if (process.isRunning) process.exit(null, 'SIGKILL');
  }
}
