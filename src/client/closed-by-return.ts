// An iterator whose `return` takes effect immediately.
import type { Connection } from './connection.ts';

/** Makes `return` close the connection also while an event is awaited. A generator alone would wait for that event. */
export function closedByReturn<T>(
  connection: Connection,
  events: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  let isLeft = false;
  async function* iterate(): AsyncGenerator<T, void, undefined> {
    try {
      yield* events;
    } catch (error) {
      if (!isLeft) throw error;
    }
  }
  const iterator = iterate();
  const end = iterator.return;
  return Object.assign(iterator, {
    return(value: undefined) {
      isLeft = true;
      connection.close();
      return end.call(iterator, value);
    },
  });
}
