import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

const BIN = fileURLToPath(new URL('../src/bin/buddy-sandbox.ts', import.meta.url));

interface Said {
  code: unknown;
  stdout: string;
  stderr: string;
}

function buddySandbox(args: readonly string[], flags: readonly string[] = []): Promise<Said> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--conditions=@buddy/source', '--no-warnings', ...flags, BIN, ...args],
      { timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

/** A Node that says it is another one. */
function sayingItIs(version: string): string {
  const code = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
}

describe('buddy-sandbox', () => {
  it.each(['--help', '-h'])('tells with %s how it is used', async (option) => {
    const said = await buddySandbox([option]);
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toMatch(/^Usage: buddy-sandbox doctor \[--json\]\n/);
  });
  it('tells with --version which one it is', async () => {
    expect(await buddySandbox(['--version'])).toEqual({
      code: 0,
      stdout: `${manifest.version}\n`,
      stderr: '',
    });
  });
  it.each([
    [[], 'no command was given'],
    [['docter'], 'unknown command "docter"'],
    [['doctor', 'twice'], 'unexpected argument "twice"'],
    [['doctor', '--jsno'], "Unknown option '--jsno'"],
  ])('refuses %j, says why, and tells how it is used', async (args, why) => {
    const { code, stdout, stderr } = await buddySandbox(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
    expect(stderr).toContain('Usage: buddy-sandbox doctor');
  });
  it.each(['20.20.2', '24.14.9'])('says on Node %s which one it needs', async (version) => {
    expect(await buddySandbox(['doctor'], [sayingItIs(version)])).toEqual({
      code: 1,
      stdout: '',
      stderr: `buddy-sandbox needs Node >= 24.15; this is Node ${version}. Install a newer one.\n`,
    });
  });
  it('diagnoses, for people and for programs', async () => {
    const [words, json] = await Promise.all([
      buddySandbox(['doctor']),
      buddySandbox(['doctor', '--json']),
    ]);
    const { report, isHealthy, checks } = JSON.parse(json.stdout);
    expect([words.code, json.code]).toEqual(isHealthy ? [0, 0] : [1, 1]);
    expect(
      words.stdout.startsWith(`Node ${report.node}, ${report.platform}\nlayer 0  active`),
    ).toBe(true);
    expect(words.stdout.match(/^(?:holds|FAILS) {2}/gm)).toHaveLength(checks.length);
  });
});
