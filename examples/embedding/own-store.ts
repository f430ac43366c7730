// Your own ExecutionStore: that of execstream, extended by a journal of the application. A store for another database
// implements the same interface; its specification is test/execution/store.contract.ts.
import type { Execution, ExecutionStore } from '../../src/index.ts';

/** The records of the application. Both methods are called after the row was written. */
export interface Journal {
  begun(execution: Execution): Promise<void>;
  ended(execution: Execution): Promise<void>;
}

/** Creates a store that writes a journal. All other methods are those of the inner store. */
export function createJournaledStore(inner: ExecutionStore, journal: Journal): ExecutionStore {
  const methods: Partial<ExecutionStore> = {
    async begin(execution) {
      const row = await inner.begin(execution);
      // The same attempt may begin again, which changes nothing.
      if (row.revision === 1) await journal.begun(row);
      return row;
    },

    async finish(id, attempt, end) {
      const before = await inner.get(id);
      const row = await inner.finish(id, attempt, end);
      // The first end wins, and only that one changes the row.
      if (row && row.revision !== before?.revision) await journal.ended(row);
      return row;
    },
  };
  return new Proxy(inner, {
    get(store, name) {
      const value = Reflect.get(methods, name) ?? Reflect.get(store, name);
      return typeof value === 'function' ? value.bind(store) : value;
    },
  });
}
