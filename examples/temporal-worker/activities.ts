// The activities. Each publishes its own execution, a child of the workflow's.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Publisher } from '../../src/worker.ts';
import { publishActivity } from '../../src/worker.ts';

export type Activities = ReturnType<typeof createActivities>;

/** @param paceMs the delay between two words of the writer. */
export function createActivities(publisher: Publisher, paceMs = 200) {
  return {
    async research(id: string, topic: string): Promise<string[]> {
      return publishActivity(
        publisher,
        { kind: 'task', mode: 'STRUCTURED', id, taskId: 'research' },
        async (run) => {
          const facts = [`${topic} have six legs`];
          await run.value(facts);
          facts.push(`${topic} carry many times their weight`);
          await run.value(facts);
          return facts;
        },
      );
    },

    async write(id: string, facts: string[]): Promise<string> {
      return publishActivity(publisher, { kind: 'agent', id, agentId: 'writer' }, async (run, { signal }) => {
        const text = `${facts.join(', and ')}.`;
        for (const word of text.match(/\S+\s*/g) ?? []) {
          await run.text(word);
          await sleep(paceMs, undefined, { signal });
        }
        return text;
      });
    },
  };
}
