// Observes how work settles without changing when the code that awaits it continues: the order in which a workflow
// continues its branches is the order of its commands, and a replay compares it with the history.

/**
 * Calls a function and observes its outcome. The promise is returned as it is: one that is derived from it would settle a
 * microtask later, and another branch of the workflow could overtake. The observer is called before the code that
 * awaits the promise, because it is the first to be attached.
 * @param run may also throw, as the caller of `run` itself would see it.
 */
export function observe<T>(
  run: () => Promise<T>,
  onSuccess: (value: T) => void,
  onFailure: (error: unknown) => void,
): Promise<T> {
  let result: Promise<T>;
  try {
    result = run();
  } catch (error) {
    onFailure(error);
    throw error;
  }
  // JavaScript code may return a value instead of a promise.
  Promise.resolve(result).then(onSuccess, onFailure);
  return result;
}
