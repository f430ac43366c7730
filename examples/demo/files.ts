// Which files are digested: a few small text files of a folder, and their lines as they are read.
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExecstreamError } from '../../src/worker.ts';

export interface TextFile {
  /** From the folder it was found in. */
  readonly path: string;
  readonly absolutePath: string;
  /** How many lines `readLines` gives. */
  readonly lines: number;
}

const MAX_FILES = 6;
const MAX_LINES = 200;
const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 4;
const SKIPPED_FOLDERS = new Set(['node_modules', 'generated', 'dist']);

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** In the order in which they are taken; what is missing is passed over. */
const OWN_PATHS = ['README.md', 'docs', 'prisma'];

/** The project's own texts: its README, its docs, and where it has none of these, its database schema. */
export async function ownTexts(): Promise<TextFile[]> {
  const found = await textsAt(
    OWN_PATHS.map((path) => join(PROJECT, path)),
    PROJECT,
  );
  if (found.length === 0) throw noTexts(PROJECT);
  return found;
}

/**
 * The first text files of a folder: its own before those of its subfolders, in the order of their names.
 * @throws ExecstreamError `BAD_USER_INPUT` where it is not a folder, cannot be read, or has no text file.
 */
export async function findTexts(folder: string): Promise<TextFile[]> {
  const root = resolve(folder);
  const found = await stat(root).catch((error: Error) => error);
  if (found instanceof Error) throw unusable(`the folder ${root} cannot be read (${found.message})`);
  if (!found.isDirectory()) throw unusable(`${root} is not a folder`);
  const texts = await textsAt([root], root);
  if (texts.length === 0) throw noTexts(root);
  return texts;
}

async function textsAt(paths: readonly string[], root: string): Promise<TextFile[]> {
  const texts: TextFile[] = [];
  for (const path of paths) {
    for await (const absolutePath of walk(path)) {
      const lines = await countLines(absolutePath);
      if (lines > 0) texts.push({ path: relative(root, absolutePath), absolutePath, lines });
      if (texts.length === MAX_FILES) return texts;
    }
  }
  return texts;
}

/** Every file under a path, or the path itself where it is one. Hidden ones and links are passed over. */
async function* walk(path: string, depth = 0): AsyncGenerator<string> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => error);
  if (entries instanceof Error) {
    if (entries.code === 'ENOTDIR') yield path;
    return;
  }
  const seen = entries
    .filter(({ name }) => !name.startsWith('.') && !SKIPPED_FOLDERS.has(name))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  for (const entry of seen) if (entry.isFile()) yield join(path, entry.name);
  if (depth === MAX_DEPTH) return;
  for (const entry of seen) if (entry.isDirectory()) yield* walk(join(path, entry.name), depth + 1);
}

/** How many lines of a file are taken: none of one that is binary, empty, too large or not ours to read. */
async function countLines(absolutePath: string): Promise<number> {
  try {
    if ((await stat(absolutePath)).size > MAX_BYTES) return 0;
    const bytes = await readFile(absolutePath);
    if (bytes.includes(0)) return 0;
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return Math.min(linesOf(text).length, MAX_LINES);
  } catch {
    return 0;
  }
}

/** The first lines of a file, as they are read, each with its line break. */
export async function* readLines({ absolutePath }: TextFile): AsyncGenerator<string> {
  let behind = '';
  let count = 0;
  for await (const piece of createReadStream(absolutePath, { encoding: 'utf8' })) {
    const lines = linesOf(behind + piece);
    // The last one may go on in the next piece.
    behind = lines.pop() ?? '';
    for (const line of lines) {
      yield line;
      count += 1;
      if (count === MAX_LINES) return;
    }
  }
  if (behind) yield behind;
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

function noTexts(root: string): ExecstreamError {
  return unusable(
    `no text file of up to ${MAX_BYTES / 1024} KiB is in ${root}; name another folder: npm start <folder>`,
  );
}

function unusable(what: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', what);
}
