// The runner's table of programs: found or missing, the suites that are skipped, and the command that installs it.

import { suitesUsing } from './suites.ts';
import { PARTS, type Part, type Place } from './test-services.ts';

/** One program, checked before anything is started. */
export interface Row {
  part: Part;
  /** The path of its program; undefined if it is missing. */
  path?: string;
  /** Why it is missing. */
  why?: string;
  /** The shared server that the caller configured. */
  url?: string;
}

/** Checks every program. */
export function findServices(place: Place): Row[] {
  return PARTS.map((part) => {
    const variables = [part.urlVariable, part.publicVariable].filter((name) => name !== undefined);
    const url = variables.map((name) => place.env[name]).find(Boolean);
    return { part, url, ...part.find(place) };
  });
}

/** A command for a person that installs the programs. */
export function installCommand(parts: readonly Part[]): string {
  const packages = parts.flatMap((part) => part.package ?? []);
  const apt = packages.length > 0 ? [`apt-get install -y --no-install-recommends ${packages.join(' ')}`] : [];
  // The runner itself installs programs that Debian does not have.
  const runnerCommand = parts.some((part) => part.install) ? ['npm test -- --install'] : [];
  return [...apt, ...runnerCommand].join(' && ');
}

/** A table for people: one line per program, and the consequences below each missing one. */
export function describeRows(rows: readonly Row[], testFolder: string): string {
  const width = Math.max(...rows.map(({ part }) => part.name.length));
  return rows.flatMap((row) => describeRow(row, width, testFolder)).join('\n');
}

function describeRow({ part, path, why, url }: Row, width: number, testFolder: string): string[] {
  const configured = url && `set by ${part.urlVariable} (${withoutPassword(url)})`;
  const start = `${part.name.padEnd(width)}  `;
  if (path !== undefined) return [start + [configured, path].filter(Boolean).join('; ')];
  const suites = suitesUsing(part.support, testFolder);
  const indent = ' '.repeat(start.length);
  return [
    `${start}${configured ? `${configured}; no local program` : 'MISSING'}: ${why}`,
    `${indent}skips ${configured ? 'suites that start a local server' : '(completely or partly)'}: ${suites.join(', ') || 'no suites'}`,
    `${indent}install: ${installCommand([part])}`,
  ];
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:***@');
}
