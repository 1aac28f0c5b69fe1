import type { BotDefinitionInput } from '@buddy/bots';

interface TreeKind {
  /** `T` stands for how long to sleep: a number that nobody else on the machine uses. */
  readonly script: string;
  /** How many processes there are, at least, when it has unfolded. */
  readonly processes: number;
}

/** The ways in which processes get lost. */
const TREE_KINDS: Readonly<Record<string, TreeKind>> = {
  'ignores SIGTERM': { script: "trap '' TERM; sleep T & wait", processes: 2 },
  'forks, and its children fork': {
    script: "sleep T & sh -c 'sleep T & sleep T & wait' & wait",
    processes: 5,
  },
  'leaves the group': { script: 'setsid sleep T & wait', processes: 2 },
  'leaves the group and ignores SIGTERM': {
    script: 'setsid sh -c "trap \'\' TERM; sleep T & wait" & wait',
    processes: 3,
  },
  'hands a session of its own to init': {
    script: "(setsid sh -c 'sleep T & wait' &); exec sleep T",
    processes: 3,
  },
  'forks when it is asked to end': {
    script: "trap 'setsid sleep T & sleep T &' TERM; sleep T & wait; wait",
    processes: 2,
  },
  'clears its environment and leaves the group': {
    script: 'env -i /usr/bin/setsid /bin/sleep T & wait',
    processes: 2,
  },
  'is detached twice by Node': {
    script: `exec node -e "
      const start = (args) => require('child_process').spawn('sh', args, { detached: true, stdio: 'ignore' }).unref();
      start(['-c', 'setsid sleep T & wait']);
      start(['-c', '(sleep T &)']);
      setInterval(() => 0, 1000);" T`,
    processes: 4,
  },
};

/** A number of seconds to sleep that says whose it is. */
export function newToken(index: number): string {
  return `1234.${process.pid}${String(index).padStart(4, '0')}`;
}

export interface Tree {
  readonly kind: string;
  readonly token: string;
  readonly processes: number;
  readonly definition: BotDefinitionInput;
}

let made = 0;

/** So many trees, of each kind in turn. */
export function newTrees(count: number, stopGraceMs = 300): readonly Tree[] {
  const kinds = Object.entries(TREE_KINDS);
  return Array.from({ length: count }, (_, index) => {
    const [kind, { script, processes }] = kinds[index % kinds.length] ?? ['', NO_TREE];
    const token = newToken((made += 1));
    const args = ['-c', script.replaceAll(/\bT\b/g, token)];
    const deployment = {
      command: 'sh',
      args,
      stopGraceMs,
      restart: { kind: 'temporary' },
    } as const;
    return {
      kind,
      token,
      processes,
      definition: { id: `tree-${index}`, role: 'worker', deployment },
    };
  });
}

const NO_TREE: TreeKind = { script: '', processes: 0 };
