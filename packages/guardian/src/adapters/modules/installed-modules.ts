import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import type { ModulesAdapter } from '../../resource/adapters/service.ts';

export const InstalledModulesOptions = z.strictObject({
  /** Folder with the `package.json` and the `node_modules` of the service. */
  folder: z.string().min(1),
  /** Folder for the snapshot, on the same file system. */
  snapshot: z.string().min(1),
});
export type InstalledModulesInput = z.input<typeof InstalledModulesOptions>;

export interface InstalledModules extends ModulesAdapter {
  /** Copies every declared package as it is installed now. Call it when the service is known to be well. */
  takeSnapshot(): Promise<void>;
}

const Manifest = z.object({ dependencies: z.record(z.string(), z.string()).default({}) });

/**
 * The packages that a service declares, with a copy of each from good times. Restores from that copy only: nothing is
 * ever fetched, and what is not declared is never put there.
 * @throws {InvalidInputError} When the options are not usable.
 */
export function createInstalledModules(input: InstalledModulesInput): InstalledModules {
  const { folder, snapshot } = parseOrThrow(InstalledModulesOptions, input, 'installed modules');
  const installed = (name: string) => join(folder, 'node_modules', name);
  const copy = (name: string) => join(snapshot, 'good', name);
  const before = (name: string) => join(snapshot, 'before', name);
  const staged = (name: string) => join(snapshot, 'staged', name);

  const declared = async (): Promise<string[]> => {
    const path = join(folder, 'package.json');
    const manifest: unknown = JSON.parse(await readFile(path, 'utf8'));
    return Object.keys(parseOrThrow(Manifest, manifest, path).dependencies);
  };
  const broken = async (): Promise<string[]> => {
    const names = await declared();
    const isBroken = await Promise.all(
      names.map(async (name) => (await digest(installed(name))) !== (await digest(copy(name)))),
    );
    return names.filter((_, index) => isBroken[index]);
  };
  return {
    kind: 'modules',
    broken,
    isDeclared: async (name) => (await declared()).includes(name),
    probe: async () => {
      const names = await broken();
      if (names.length === 0) return { status: 'HEALTHY' };
      const note = `not as they were installed: ${names.join(', ')}`;
      return {
        status: 'FAILED',
        signal: 'module.broken',
        certainty: 'decisive',
        note,
        data: { missing: names[0] },
      };
    },
    takeSnapshot: async () => {
      for (const name of await declared()) await copyTree(installed(name), copy(name));
    },
    restore: async (name) => {
      if (!(await declared()).includes(name)) {
        throw new GuardianMisuseError(
          `"${name}" is not declared in package.json; nothing is installed.`,
        );
      }
      if (!(await exists(copy(name)))) {
        throw new GuardianMisuseError(`There is no snapshot of "${name}"; take one in good times.`);
      }
      await copyTree(copy(name), staged(name));
      // What is there is kept, once: a second call must not put what the first one made in its place.
      if (!(await exists(before(name))) && (await exists(installed(name)))) {
        await move(installed(name), before(name));
      }
      await rm(installed(name), { recursive: true, force: true });
      await move(staged(name), installed(name));
    },
    putBack: async (name) => {
      await rm(installed(name), { recursive: true, force: true });
      if (await exists(before(name))) await move(before(name), installed(name));
    },
  };
}

async function copyTree(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true });
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Of all paths and contents below a folder; undefined when there is none. */
async function digest(folder: string): Promise<string | undefined> {
  if (!(await exists(folder))) return undefined;
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).toSorted();
  for (const path of paths) {
    hash
      .update(path.slice(folder.length))
      .update('\0')
      .update(await readFile(path));
  }
  return hash.digest('hex');
}
