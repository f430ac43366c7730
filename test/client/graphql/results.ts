// Messages of subscriptions whose selections are the application's.
import { EPOCH } from '../scripted-fetch.ts';

/** The message of a result with any selection. */
export function resultMessage(id: string | undefined, result: object): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: next\ndata: ${JSON.stringify(result)}\n\n`;
}

/** The result of an event of which the document selects the text alone. */
export const textOf = (seq: number) => ({ data: { agentStream: { content: `${seq} ` } } });

/** Its message. */
export const text = (seq: number, epoch = EPOCH): string => resultMessage(`${seq}-${epoch}`, textOf(seq));
