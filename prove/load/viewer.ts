// One viewer of a workflow: notes when each event arrived.

export interface Seen {
  /** When each event arrived, in ms since 1970, by its seq. */
  readonly arrivals: ReadonlyMap<number, number>;
  /** The reasons of the resets. */
  readonly resets: readonly string[];
  readonly warnings: readonly string[];
  /** When the terminal event arrived; undefined if the stream broke before. */
  readonly endedAt: number | undefined;
}

/** Reads the stream of a workflow to its end. */
export async function view(serverUrl: string, workflowId: string): Promise<Seen> {
  const arrivals = new Map<number, number>();
  const warnings: string[] = [];
  const resets: string[] = [];
  let endedAt: number | undefined;
  const path = `/api/v0/executions/workflows/${encodeURIComponent(workflowId)}/stream`;
  const response = await fetch(serverUrl + path, { headers: { accept: 'text/event-stream' } });
  if (!response.ok || !response.body)
    throw new Error(`${workflowId}: expected a stream, got ${response.status}`);
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const now = Date.now();
    text += chunk;
    const messages = text.split('\n\n');
    text = messages.pop()!;
    for (const message of messages) {
      const type = /^event: (.*)$/m.exec(message)?.[1];
      const seq = Number(/^id: (\d+)/m.exec(message)?.[1] ?? 0);
      if (type === 'reset') {
        resets.push(/"reason":"(\w+)"/.exec(message)?.[1] ?? message);
        arrivals.clear();
      } else if (type === 'warning') warnings.push(/"code":"(\w+)"/.exec(message)?.[1] ?? message);
      else if (type !== undefined && seq > 0 && !arrivals.has(seq)) arrivals.set(seq, now);
      if (type === 'complete' || type === 'error') endedAt ??= now;
    }
  }
  return { arrivals, resets, warnings, endedAt };
}
