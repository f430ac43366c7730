// A shared store as a hook: what a component selects of it.
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { ExecstreamError } from '../../event/errors.ts';
import {
  type BindingConnection,
  type Snapshot,
  type StoreRequest,
  shareStore,
} from '../bindings/shared-store.ts';

/** What a hook returns. The object is replaced when a part of it changes. */
export interface HookResult<Selected> {
  readonly state: Selected;
  /** The state of the connection; `idle` without an execution. */
  readonly connection: BindingConnection;
  /**
   * Why the server has rejected the request permanently; `connection.status` is then `failed`. Never the error of an
   * execution that failed, which is part of its state.
   */
  readonly error: ExecstreamError | undefined;
  /** Connects again if `connection.status` is `failed`; does nothing otherwise. */
  readonly retry: () => void;
}

/** @param select computes what the component shows of the state; may be an inline function */
export function useSharedStore<T, Selected>(
  request: StoreRequest<T>,
  select: ((state: T) => Selected) | undefined,
): HookResult<Selected> {
  const { client, key } = request;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the request is a new object each time, with the same key.
  const store = useMemo(() => shareStore(request), [client, key]);
  const shown = useRef<HookResult<Selected>>(undefined);

  const { read, readInitial } = useMemo(() => {
    let latest: { readonly of: Snapshot<T>; readonly result: HookResult<Selected> } | undefined;
    const resultOf = (snapshot: Snapshot<T>): HookResult<Selected> => {
      if (latest?.of === snapshot) return latest.result;
      const { connection, error } = snapshot;
      const state = select ? select(snapshot.state) : (snapshot.state as unknown as Selected);
      const next = { state, connection, error, retry: store.retry };
      // An inline function is another one in each render, and may create a new object each time.
      const previous = latest?.result ?? shown.current;
      const result = isSame(previous, next) ? previous : next;
      latest = { of: snapshot, result };
      return result;
    };
    return { read: () => resultOf(store.snapshot), readInitial: () => resultOf(store.initial) };
  }, [store, select]);

  const result = useSyncExternalStore(store.subscribe, read, readInitial);
  useEffect(() => {
    shown.current = result;
  }, [result]);
  return result;
}

/** Whether two results show the same; selections are compared by their entries. */
function isSame<Selected>(
  previous: HookResult<Selected> | undefined,
  { state, connection }: HookResult<Selected>,
): previous is HookResult<Selected> {
  return previous?.connection === connection && isShallowEqual(previous.state, state);
}

function isShallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && Object.is(a[key], b[key]));
}

/** Whether a value is an array or an object without a class: others, such as a Map, have hidden contents. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
