// execstream/client, with its default settings.
import { createClient } from '../../src/client/index.ts';
import type { Client, Watched } from './clients.ts';

async function watch({ url, id, note, signal }: Watched): Promise<void> {
  for await (const event of createClient({ url }).watch('agent', id, { signal })) {
    note({
      id: event.id,
      type: event.type,
      content: event.type === 'llm_chunk' ? event.data.content : undefined,
    });
  }
}

export const EXECSTREAM: readonly Client[] = [{ name: 'execstream/client', reconnecting: 'resumes', watch }];
