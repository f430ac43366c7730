// The page of the browser suite, bundled for it: components that show what the hooks return, and how often they render.
import { createElement, Fragment, type ReactElement, StrictMode, useEffect, version } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { createClient, type ExecutionState, type ListFilter } from '../../../src/client/index.ts';
import { ExecstreamProvider, useExecution, useExecutions } from '../../../src/client/react/index.ts';

/** What a component shows. */
export interface ShownExecution {
  readonly component: 'execution';
  readonly id: string | null;
  readonly initial?: ExecutionState;
  /** Names of functions of `SELECTIONS`. */
  readonly select?: keyof typeof SELECTIONS;
}
export interface ShownList {
  readonly component: 'list';
  readonly filter: ListFilter | null;
  readonly pollMs?: number;
}
export type Shown = ShownExecution | ShownList;

const SELECTIONS = {
  toolCalls: ({ toolCalls }: ExecutionState) => toolCalls.map(({ name, status }) => `${name} ${status}`),
  object: ({ status, attempt }: ExecutionState) => ({ status, attempt }),
};

const requests: string[] = [];
const renders: unknown[] = [];
const errors: string[] = [];
/** Each state that a component had, by its identity. */
const states: unknown[] = [];

const client = createClient({
  url: '/',
  backoff: { firstMs: 20, maxMs: 20 },
  fetch: (input, init) => {
    requests.push(new Headers(init?.headers).get('last-event-id') ?? '');
    return fetch(input, init);
  },
});

let retryLast = () => {};

function Execution({ id, initial, select: name }: ShownExecution): ReactElement {
  // Options and functions are new objects in each render, as they are when they are written inline.
  const select = name && ((state: ExecutionState): unknown => SELECTIONS[name](state));
  const { state, connection, error, retry } = useExecution('agent', id, {
    backoff: { firstMs: 20, maxMs: 20 },
    ...(initial && { initial }),
    ...(select && { select }),
  });
  retryLast = retry;
  useEffect(() => void states.push(state), [state]);
  renders.push([id, name ? state : (state as ExecutionState).text]);
  const text = name ? JSON.stringify(state) : (state as ExecutionState).text;
  return createElement(
    'section',
    null,
    createElement('pre', null, text),
    createElement('output', null, connection.status),
    createElement('b', null, error?.code ?? ''),
  );
}

function List({ filter, pollMs = 50 }: ShownList): ReactElement {
  const { state, connection } = useExecutions(filter, { pollMs });
  renders.push(state.map(({ id }) => id));
  return createElement(
    'section',
    null,
    createElement('pre', null, state.map(({ id, status }) => `${id} ${status}`).join('\n')),
    createElement('output', null, connection.status),
  );
}

/** Also rendered on the server. */
export function Page({ shown }: { readonly shown: readonly Shown[] }): ReactElement {
  const children = shown.map((each, key) =>
    each.component === 'execution'
      ? createElement(Execution, { key, ...each })
      : createElement(List, { key, ...each }),
  );
  return createElement(
    StrictMode,
    null,
    createElement(ExecstreamProvider, { client }, createElement(Fragment, null, ...children)),
  );
}

let root: Root | undefined;

/** What the suite calls in the page. */
export const page = {
  version,
  requests,
  renders,
  states,
  errors,
  retry: () => retryLast(),
  show(...shown: Shown[]) {
    root ??= createRoot(containerOf(), { onRecoverableError });
    root.render(createElement(Page, { shown }));
  },
  hydrate(html: string, ...shown: Shown[]) {
    const container = containerOf();
    container.innerHTML = html;
    hydrateRoot(container, createElement(Page, { shown }), { onRecoverableError });
  },
  unmount() {
    root?.unmount();
    root = undefined;
  },
  frames: 0,
  /** Counts the frames that are drawn from now on. */
  countFrames() {
    const { requestAnimationFrame } = globalThis as unknown as {
      requestAnimationFrame(callback: () => void): void;
    };
    const count = () => {
      page.frames += 1;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  },
  /** No frames are drawn any more, as on a hidden page. */
  stopFrames: () => Object.assign(globalThis, { requestAnimationFrame: () => 0 }),
};
export type TestPage = typeof page;

function onRecoverableError(error: unknown): void {
  errors.push(String(error));
}

function containerOf(): Element & { innerHTML: string } {
  const { document } = globalThis as unknown as {
    document: {
      createElement(name: string): Element & { innerHTML: string };
      body: { append(element: Element): void };
    };
  };
  const container = document.createElement('main');
  document.body.append(container);
  return container;
}
