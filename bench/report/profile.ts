// The functions of our server with the most self time in a CPU profile.
import { readFileSync } from 'node:fs';
import type { Table } from './tables.ts';

const MAX_ROWS = 12;
/** Idle time, and the profiler's own work when it is stopped. */
const EXCLUDED: ReadonlySet<string> = new Set(['(idle)', '`dispatch`']);
/** Labels for V8's names of work outside of JavaScript. */
const NATIVE: Readonly<Record<string, string>> = {
  '(program)': 'native code and the kernel, mostly writes to sockets',
  '(garbage collector)': 'garbage collection',
};

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  /** In µs, for each sample since the previous one. */
  readonly timeDeltas: readonly number[];
}

/** @param file a profile written by Node's inspector */
export function profileTable(title: string, file: string): Table {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, describeFrame(callFrame)]));
  const spent = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    if (!EXCLUDED.has(name)) spent.set(name, (spent.get(name) ?? 0) + timeDeltas[i]!);
  }
  const total = [...spent.values()].reduce((sum, us) => sum + us, 0);
  const longest = [...spent].sort(([, a], [, b]) => b - a).slice(0, MAX_ROWS);
  const lines = longest.map(([name, us]) => [name, `${((100 * us) / total).toFixed(1)} %`]);
  return { title, head: ['function', 'share of self time'], lines };
}

function describeFrame({ functionName, url }: { functionName: string; url: string }): string {
  if (functionName.startsWith('(')) return NATIVE[functionName] ?? functionName;
  // For a dependency, the package name says more than the file name.
  const from =
    /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? /(?:dist\/)?([^/]+\/[^/]+)$/.exec(url)?.[1] ?? url;
  return `\`${functionName || '(anonymous)'}\`${from ? ` of ${from}` : ''}`;
}
