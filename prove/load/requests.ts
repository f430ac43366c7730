// Counts the requests that a Temporal server has received, by its own metrics, which do not depend on our code.

/** The requests of watching, by operation. Workers use others. */
const KINDS: Readonly<Record<string, string>> = {
  QueryWorkflow: 'query',
  GetWorkflowExecutionHistory: 'history',
  PollWorkflowExecutionHistory: 'history poll',
  DescribeWorkflowExecution: 'describe',
  DescribeTaskQueue: 'task queue',
  ListWorkflowExecutions: 'list',
};

export type RequestCounts = Readonly<Record<string, number>>;

/**
 * Reads the counters of a server that was started with `--metrics-port`.
 * @throws Error if the server has no such counters
 */
export async function readRequests(metricsPort: number): Promise<RequestCounts> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  if (!text.includes('service_requests')) throw new Error('the Temporal server reports no service_requests');
  const counts = Object.fromEntries(Object.values(KINDS).map((kind) => [kind, 0]));
  for (const [, labels, value] of text.matchAll(/^service_requests(?:_total)?\{(.*)\} (\S+)$/gm)) {
    const kind = KINDS[/operation="(\w+)"/.exec(labels!)?.[1] ?? ''];
    if (kind && labels!.includes('service_name="frontend"')) counts[kind] = counts[kind]! + Number(value);
  }
  return counts;
}

/** The requests per second between two readings. */
export function perSecond(before: RequestCounts, after: RequestCounts, seconds: number): RequestCounts {
  return Object.fromEntries(
    Object.entries(after).map(([kind, count]) => [kind, (count - (before[kind] ?? 0)) / seconds]),
  );
}
