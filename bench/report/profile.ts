// Where the time goes, as a CPU profile of our server tells: the functions that need most by themselves.
import { readFileSync } from 'node:fs';
import type { Table } from './tables.ts';

const SHOWN = 12;
/** Time that is nobody's, and that of the profiler, which collects itself as it is stopped. */
const LEFT_OUT: ReadonlySet<string> = new Set(['(idle)', '`dispatch`']);
/** What V8 calls what is not JavaScript. */
const NATIVE: Readonly<Record<string, string>> = {
  '(program)': 'native code and the kernel: writes to sockets, above all',
  '(garbage collector)': 'garbage collection',
};

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  /** In µs, of each sample since the one before. */
  readonly timeDeltas: readonly number[];
}

/** @param file a profile as Node's inspector writes it */
export function profileTable(title: string, file: string): Table {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, named(callFrame)]));
  const spent = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    if (!LEFT_OUT.has(name)) spent.set(name, (spent.get(name) ?? 0) + timeDeltas[i]!);
  }
  const total = [...spent.values()].reduce((sum, us) => sum + us, 0);
  const most = [...spent].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  const lines = most.map(([name, us]) => [name, `${((100 * us) / total).toFixed(1)} %`]);
  return { title, head: ['by itself', 'of the time'], lines };
}

function named({ functionName, url }: { functionName: string; url: string }): string {
  if (functionName.startsWith('(')) return NATIVE[functionName] ?? functionName;
  // From a package, its name says more than the file's.
  const from =
    /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? /(?:dist\/)?([^/]+\/[^/]+)$/.exec(url)?.[1] ?? url;
  return `\`${functionName || '(anonymous)'}\`${from ? ` of ${from}` : ''}`;
}
