// A handler of AWS Lambda that writes a text in several invocations. The process is frozen between them, so each one sends
// what it has published before it returns.
import { createHttpPublisher, type ExecutionPublisher } from '../../src/worker-http.ts'; // 'execstream/worker/http'

export interface Step {
  readonly id: string;
  readonly text: string;
  readonly isLast?: boolean;
}

const { STREAMS_URL = 'http://localhost:4000', STREAMS_TOKEN } = process.env;
const publisher = createHttpPublisher({ url: STREAMS_URL, ...(STREAMS_TOKEN && { token: STREAMS_TOKEN }) });

/** Runs that continue with the next invocation in this process. In another one, the execution begins its next attempt. */
const runs = new Map<string, ExecutionPublisher>();

export async function handler({ id, text, isLast = false }: Step): Promise<{ isSent: boolean }> {
  const run = runs.get(id) ?? (await publisher.begin({ id, kind: 'task' }));
  runs.set(id, run);
  await run.text(text);
  if (!isLast) return { isSent: await run.flush() };
  runs.delete(id);
  return { isSent: await run.complete() };
}
