// Viewers of workflows that have a Workflow Stream.
import type { WorkflowHandle } from '@temporalio/client';
import type { SseStream } from '../../../support/sse.ts';
import { watchRest } from '../rig.ts';
import { item } from './samples.ts';

/** Watches a workflow over REST; texts are JSON. */
export function watchItems(url: string, id: string, lastEventId?: string): Promise<SseStream> {
  return watchRest(url, id, '?data=json', lastEventId);
}

/** The events of a stream in short: texts as `topic: text`, custom events as `name: value`, others by their step. */
export function shownIn({ frames }: SseStream): string[] {
  return frames.flatMap(({ event, data }) => {
    if (data === '') return [];
    const fields = JSON.parse(data);
    if (event === 'llm_chunk') return [`${fields.topic}: ${fields.content}`];
    if (event === 'custom') return [`${fields.name}: ${JSON.stringify(fields.value)}`];
    const words = [fields.taskId, fields.step, fields.code, fields.reason].filter(
      (word) => word !== undefined,
    );
    return [[event, fields.status, ...words].filter((word) => word !== undefined).join(' ')];
  });
}

/** The text of a topic. */
export function textOf(stream: SseStream, topic: string): string {
  return shownIn(stream)
    .filter((line) => line.startsWith(`${topic}: `))
    .map((line) => line.slice(topic.length + 2))
    .join('');
}

/** The seqs of a stream. */
export function seqsOf({ frames }: SseStream): number[] {
  return frames.flatMap(({ id, data }) =>
    id === undefined || data === '' ? [] : [Number(id.split('-')[0])],
  );
}

/** Publishes text as an external publisher does. */
export function publishText(handle: WorkflowHandle, text: string, publisherId = '', sequence = 0) {
  const part = { type: 'text-delta', id: '0', delta: text };
  const { topic, data } = item(part, 0, 'tokens');
  const input = { items: [{ topic, data }], publisher_id: publisherId, sequence };
  return handle.signal('__temporal_workflow_stream_publish', input);
}

/** The number of events of a type in the history of a workflow. */
export async function countEvents(handle: WorkflowHandle, attributes: string): Promise<number> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).filter((event) => (event as unknown as Record<string, unknown>)[attributes]).length;
}
