// The activities: each the work of an execution of its own, under the workflow's.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Publisher } from '../../src/worker.ts';
import { publishActivity } from '../../src/worker.ts';

export type Activities = ReturnType<typeof createActivities>;

/** @param paceMs how long the writer rests between two words. */
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
