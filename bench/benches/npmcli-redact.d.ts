declare module '@npmcli/redact' {
  export function redactLog(line: string): string;
}
declare module '@npmcli/redact/server' {
  export function redact(line: string): string;
}
