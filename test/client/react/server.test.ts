// The hooks on a server: they render the initial state, and never connect.
import { createElement, type ReactElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test, vi } from 'vitest';
import { createClient, type ListedExecution } from '../../../src/client/index.ts';
import {
  ExecstreamProvider,
  useExecstreamClient,
  useExecution,
  useExecutions,
} from '../../../src/client/react/index.ts';
import { initialState, reduce } from '../../../src/event/state.ts';
import { eventOf, scriptedFetch } from '../scripted-fetch.ts';

function renderWith(Component: () => string | undefined) {
  vi.useFakeTimers();
  const { fetch, requests } = scriptedFetch('hang');
  const client = createClient({ url: '/', fetch });
  const html = renderToString(createElement(ExecstreamProvider, { client }, createElement(Component)));
  vi.runAllTimers();
  vi.useRealTimers();
  return { html, requests };
}

test('a server renders the initial state of an execution, and does not connect', () => {
  const initial = [eventOf(1), eventOf(2)].reduce(reduce, initialState('agent', 'TEXT'));
  const { html, requests } = renderWith(() => {
    const { state, connection, error, retry } = useExecution('agent', 'a1', { initial });
    retry();
    return `${state.text}|${connection.status}|${error}`;
  });
  expect(html).toBe('1 2 |connecting|undefined');
  expect(requests).toEqual([]);
});

test('a server renders an execution without an initial state, and none, as before their first event', () => {
  const { html } = renderWith(() => {
    const { state, connection } = useExecution('agent', 'a1', { mode: 'TEXT' });
    const none = useExecution('agent', undefined);
    expect(state).toEqual(initialState('agent', 'TEXT'));
    expect(none.state).toEqual(initialState('agent'));
    return `${connection.status}|${none.connection.status}`;
  });
  expect(html).toBe('connecting|idle');
});

test('a server renders the selected part of a state', () => {
  const initial = reduce(initialState('agent'), eventOf(1));
  const { html } = renderWith(() => {
    const { state } = useExecution('agent', 'a1', {
      initial,
      select: ({ text }) => ({ length: text!.length }),
    });
    return `${state.length}`;
  });
  expect(html).toBe('2');
});

test('a server renders the initial executions of a list, and does not connect', () => {
  const initial = [{ id: 'a1' }, { id: 'a2' }] as ListedExecution[];
  const { html, requests } = renderWith(() => {
    const ids = useExecutions(
      { kind: 'agent' },
      { initial, select: (rows) => rows.map(({ id }) => id) },
    ).state;
    return `${ids.join()}|${useExecutions().state.length}|${useExecutions(null).connection.status}`;
  });
  expect(html).toBe('a1,a2|0|idle');
  expect(requests).toEqual([]);
});

test('a client may be an option in place of a provider, and one of the two is required', () => {
  const client = createClient({ url: '/' });
  const used: unknown[] = [];
  const render = (use: () => unknown) =>
    renderToString(
      createElement((): ReactElement => {
        used.push(use());
        return createElement('i');
      }),
    );
  render(() => useExecution('agent', 'a1', { client }).connection.status);
  render(() => useExecutions({}, { client }).connection.status);
  render(() => useExecstreamClient(client));
  expect(used).toEqual(['connecting', 'connecting', client]);
  const message = expect.stringContaining('client: expected an <ExecstreamProvider>');
  for (const use of [
    () => useExecution('agent', null),
    () => useExecutions(null),
    () => useExecstreamClient(),
  ]) {
    expect(() => render(use)).toThrow(expect.objectContaining({ code: 'CONFIG', message }));
  }
});

test('the types of a selection follow from the function', () => {
  renderWith(() => {
    const all = useExecution('agent', 'a1');
    const cursor: string = all.state.cursor;
    const count: number = useExecution('agent', 'a1', { select: ({ toolCalls }) => toolCalls.length }).state;
    // @ts-expect-error a selection is not the state
    useExecution('agent', 'a1', { select: ({ text }) => text }).state.cursor;
    // @ts-expect-error functions are options of the client
    useExecution('agent', 'a1', { fetch });
    return `${cursor}${count}`;
  });
});
