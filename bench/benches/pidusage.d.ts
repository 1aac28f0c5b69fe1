declare module 'pidusage' {
  export default function pidusage(pids: readonly number[]): Promise<unknown>;
}
