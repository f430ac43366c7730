// What the runner says about the parts: found where, or missing, what that skips, and what would install it.

import { suitesUsing } from './suites.ts';
import { PARTS, type Part, type Place } from './test-services.ts';

/** One part as it was found, before anything is started. */
export interface Row {
  part: Part;
  /** The path of its program; undefined where it is missing. */
  path?: string;
  /** Why it is missing. */
  why?: string;
  /** The shared server that the caller gave. */
  url?: string;
}

/** Looks for every part. */
export function look(place: Place): Row[] {
  return PARTS.map((part) => {
    const variables = [part.urlVariable, part.publicVariable].filter((name) => name !== undefined);
    const url = variables.map((name) => place.env[name]).find(Boolean);
    return { part, url, ...part.find(place) };
  });
}

/** The command that installs the parts, for a person to type. */
export function installCommand(parts: readonly Part[]): string {
  const packages = parts.flatMap((part) => part.package ?? []);
  const apt = packages.length > 0 ? [`apt-get install -y --no-install-recommends ${packages.join(' ')}`] : [];
  // What Debian does not have, the runner installs itself.
  const own = parts.some((part) => part.install) ? ['npm test -- --install'] : [];
  return [...apt, ...own].join(' && ');
}

/** A table for people: a line a part, and under each that is missing what follows from it. */
export function describeRows(rows: readonly Row[], testFolder: string): string {
  const width = Math.max(...rows.map(({ part }) => part.name.length));
  return rows.flatMap((row) => describeRow(row, width, testFolder)).join('\n');
}

function describeRow({ part, path, why, url }: Row, width: number, testFolder: string): string[] {
  const given = url && `given as ${part.urlVariable} (${withoutPassword(url)})`;
  const start = `${part.name.padEnd(width)}  `;
  if (path !== undefined) return [start + [given, path].filter(Boolean).join('; ')];
  const suites = suitesUsing(part.support, testFolder);
  const indent = ' '.repeat(start.length);
  return [
    `${start}${given ? `${given}; no program of its own` : 'MISSING'}: ${why}`,
    `${indent}skips ${given ? 'what starts its own in' : '(in whole or in part)'}: ${suites.join(', ') || 'nothing yet'}`,
    `${indent}install: ${installCommand([part])}`,
  ];
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:***@');
}
