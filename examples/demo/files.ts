// Selects the files to digest, a few small text files of a folder, and reads their lines.
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExecstreamError } from '../../src/worker.ts';

export interface TextFile {
  /** Relative to the folder in which it was found. */
  readonly path: string;
  readonly absolutePath: string;
  /** The number of lines that `readLines` returns. */
  readonly lines: number;
}

const MAX_FILES = 6;
const MAX_LINES = 200;
const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 4;
const SKIPPED_FOLDERS = new Set(['node_modules', 'generated', 'dist']);

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** In order of preference; missing paths are skipped. */
const OWN_PATHS = ['README.md', 'docs', 'prisma'];

/** Text files of this project: its README and docs, or else its database schema. */
export async function ownTexts(): Promise<TextFile[]> {
  const texts = await textsAt(
    OWN_PATHS.map((path) => join(PROJECT, path)),
    PROJECT,
  );
  if (texts.length === 0) throw noTexts(PROJECT);
  return texts;
}

/**
 * The first text files of a folder, sorted by name; files precede those of subfolders.
 * @throws ExecstreamError `BAD_USER_INPUT` if it is not a folder, cannot be read, or has no text files.
 */
export async function findTexts(folder: string): Promise<TextFile[]> {
  const root = resolve(folder);
  const stats = await stat(root).catch((error: Error) => error);
  if (stats instanceof Error) throw unusable(`cannot read the folder ${root} (${stats.message})`);
  if (!stats.isDirectory()) throw unusable(`${root} is not a folder`);
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

/** Every file under a path, or the path itself if it is a file. Hidden files and links are skipped. */
async function* walk(path: string, depth = 0): AsyncGenerator<string> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => error);
  if (entries instanceof Error) {
    if (entries.code === 'ENOTDIR') yield path;
    return;
  }
  const visible = entries
    .filter(({ name }) => !name.startsWith('.') && !SKIPPED_FOLDERS.has(name))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  for (const entry of visible) if (entry.isFile()) yield join(path, entry.name);
  if (depth === MAX_DEPTH) return;
  for (const entry of visible) if (entry.isDirectory()) yield* walk(join(path, entry.name), depth + 1);
}

/** How many lines of a file are used: 0 if it is binary, empty, too large or unreadable. */
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

/** Streams the first lines of a file, each with its line break. */
export async function* readLines({ absolutePath }: TextFile): AsyncGenerator<string> {
  let partialLine = '';
  let count = 0;
  for await (const chunk of createReadStream(absolutePath, { encoding: 'utf8' })) {
    const lines = linesOf(partialLine + chunk);
    // The last line may continue in the next chunk.
    partialLine = lines.pop() ?? '';
    for (const line of lines) {
      yield line;
      count += 1;
      if (count === MAX_LINES) return;
    }
  }
  if (partialLine) yield partialLine;
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

function noTexts(root: string): ExecstreamError {
  return unusable(
    `no text files of up to ${MAX_BYTES / 1024} KiB in ${root}; choose another folder: npm start <folder>`,
  );
}

function unusable(message: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', message);
}
