// Lists that are never changed in place.

/** Replaces the first item that matches, or appends a new one. */
export function upsert<T>(
  list: readonly T[],
  isSame: (item: T) => boolean,
  update: (old?: T) => T,
): readonly T[] {
  const i = list.findIndex(isSame);
  return i < 0 ? [...list, update()] : list.with(i, update(list[i]));
}
