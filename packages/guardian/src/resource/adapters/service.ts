import type { Probed } from './probed.ts';

/** A process by its pid and its start time (clock ticks since boot): a pid alone may be another's by now. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

export interface ServiceExit {
  code: number | null;
  signal: string | null;
  /** The last characters that it wrote to stderr. */
  stderrTail: string;
}

export type ServiceState =
  | { is: 'running'; identity: ProcessIdentity }
  | { is: 'exited'; exit: ServiceExit }
  | { is: 'stopped' };

/** A process under any supervisor. */
export interface ServiceAdapter extends Probed {
  readonly kind: 'service';
  state(signal: AbortSignal): Promise<ServiceState>;
  /** Starts it, unless it runs. Resolves when it was started, which is before it is ready. */
  start(signal: AbortSignal): Promise<void>;
  /** Ends it with all its children, by force when asking does not help, and waits until it is gone. */
  stop(signal: AbortSignal): Promise<void>;
}

/** How a service is launched when it is started the next time. */
export interface LaunchSettings {
  readonly release: string;
  /** `safe` leaves out what it can start without. */
  readonly mode: 'normal' | 'safe';
  /** Of its heap, in MiB; null: no limit of ours. */
  readonly memoryMb: number | null;
  /** File descriptors that it may have open; null: no limit of ours. */
  readonly openFiles: number | null;
  /** Where it listens; null: that is none of our business. */
  readonly port: number | null;
}

/** How a service is launched. What is changed here is so from its next start on; what runs goes on as it was started. */
export interface LaunchAdapter extends Probed {
  readonly kind: 'launch';
  settings(): LaunchSettings;
  /** The memory limit that nobody has raised yet; null: no limit of ours. */
  usualMemoryMb(): number | null;
  /** How far the limits may be raised; null where there is no limit of ours. */
  caps(): { memoryMb: number | null; openFiles: number | null };
  /** Ports at which it may listen. */
  ports(): readonly number[];
  /** Whether nobody listens at a port. */
  isFree(port: number, signal: AbortSignal): Promise<boolean>;
  hasSafeMode(): boolean;
  /** The newest release before the present one that was seen to work; undefined when there is none. */
  lastKnownGood(): string | undefined;
  /** Whether a process was launched as this service, now or earlier. */
  isOurs(identity: ProcessIdentity, signal: AbortSignal): Promise<boolean>;
  useRelease(release: string, signal: AbortSignal): Promise<void>;
  useMode(mode: LaunchSettings['mode'], signal: AbortSignal): Promise<void>;
  limitMemory(megabytes: number, signal: AbortSignal): Promise<void>;
  limitOpenFiles(count: number, signal: AbortSignal): Promise<void>;
  /** Lets it listen at another of its ports, and tells those who call it. */
  usePort(port: number, signal: AbortSignal): Promise<void>;
}

/** What a process uses, and how far it may go. */
export interface Vitals {
  readonly identity: ProcessIdentity;
  /** What counts against its limit: the heap of a process that tells of it, else its resident memory. */
  readonly memory: { readonly usedBytes: number; readonly limitBytes: number | undefined };
  readonly residentBytes: number;
  readonly openFiles: { readonly count: number; readonly limit: number | undefined };
  /** Median delay of its event loop since it was asked last, in ms; undefined when it does not tell. */
  readonly loopDelayMs: number | undefined;
}

/** How a process is within: memory, descriptors, event loop. */
export interface VitalsAdapter extends Probed {
  readonly kind: 'vitals';
  /** Undefined when no process runs. */
  read(signal: AbortSignal): Promise<Vitals | undefined>;
  /** Whether it could open so many more descriptors now; undefined when it does not tell. */
  canOpen(count: number, signal: AbortSignal): Promise<boolean | undefined>;
  /** Whether a picture of what it does can be kept. */
  canCapture(): boolean;
  /** Asks it to let go of what it can do without: idle connections, caches. Nothing, when it does not listen. */
  shed(signal: AbortSignal): Promise<void>;
  /** Keeps a picture of what it does at this moment, for people; that there is none to be had is kept too. */
  capture(signal: AbortSignal): Promise<void>;
}

/** What a service has installed: its `node_modules`. */
export interface ModulesAdapter extends Probed {
  readonly kind: 'modules';
  isDeclared(name: string, signal: AbortSignal): Promise<boolean>;
  /** Declared packages whose files are not as they were installed. */
  broken(signal: AbortSignal): Promise<readonly string[]>;
  /** Puts the declared package back from the snapshot; what was there is kept. */
  restore(name: string, signal: AbortSignal): Promise<void>;
  /** Takes back `restore`: what was there before is there again. */
  putBack(name: string, signal: AbortSignal): Promise<void>;
}
