// Bad input from workers, and its effect on viewers. Invalid requests are tested in test/graphql and
// test/rest/stream.test.ts, unavailable parts in outages.test.ts.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ListeningApp, range, startApp } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import { Reader, restUrl } from './reader.ts';

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

const kindsOf = (reader: Reader) => reader.seen.map(({ type }) => type);

describe('bad input from a worker', () => {
  test('an event that does not fit is rejected, causes a warning in the stream, and does not end the run', async () => {
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const message = 'x'.repeat(30_000);
    expect(await run.warning('W', message)).toBe(false);
    await run.text('and on');
    await run.complete();
    using stream = await openSse(restUrl(app.url, 'a1'));
    await stream.ended();
    expect(stream.frames.map(({ event }) => event)).toEqual([
      'agent_start',
      'warning',
      'llm_chunk',
      'complete',
    ]);
    expect(JSON.parse(stream.frames[1]!.data).code).toBe('EVENT_TOO_LARGE');
  });

  test('long text is split, and a result too large for an event is stored only on the row', async () => {
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const text = `${'漢字\r\n👩‍🚀'.repeat(20_000)}`;
    await run.text(text);
    await run.complete();
    const reader = new Reader(() => restUrl(app.url, 'a1'));
    await reader.readToEnd();
    expect(kindsOf(reader).filter((type) => type === 'llm_chunk').length).toBeGreaterThan(1);
    expect((await app.store.get('a1'))!.result).toBe(text);
  });

  test('a second publisher of an execution is rejected, and the stream has only the events of the first', async () => {
    const first = await app.publisher.begin({ id: 'a1', kind: 'agent', attempt: 1 });
    await first.text('one ');
    const second = await app.publisher.begin({ id: 'a1', kind: 'agent', attempt: 1 });
    expect(second.error).toMatchObject({ code: 'SUPERSEDED' });
    await first.text('two');
    await first.complete();
    const reader = new Reader(() => restUrl(app.url, 'a1'));
    await reader.readToEnd();
    expect(reader.text).toBe('one two');
    expect(reader.seen.map(({ seq }) => seq)).toEqual(range(1, reader.seen.length));
  });

  test('a newer attempt takes over with a `reset`, and no event of the older attempt follows', async () => {
    const first = await app.publisher.begin({ id: 'a1', kind: 'agent', attempt: 1 });
    await first.text('old');
    const reader = new Reader(() => restUrl(app.url, 'a1'));
    const reading = reader.readToEnd();
    await expect.poll(() => reader.text).toBe('old');
    const second = await app.publisher.begin({ id: 'a1', kind: 'agent', attempt: 2 });
    await first.text(' and late');
    await second.text('new');
    await second.complete();
    await reading;
    expect(kindsOf(reader)).toContain('reset');
    expect(reader.text).toBe('new');
  });

  test('events published after the end change nothing, and the execution cannot begin again', async () => {
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.text('all');
    await run.complete();
    await run.text(' more');
    await run.fail(new Error('late'));
    const secondRun = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    expect(secondRun.error).toMatchObject({ code: 'ENDED' });
    const reader = new Reader(() => restUrl(app.url, 'a1'));
    await reader.readToEnd();
    expect(kindsOf(reader)).toEqual(['agent_start', 'llm_chunk', 'complete']);
    expect((await app.store.get('a1'))!.status).toBe('SUCCESS');
  });

  test('an id that another tenant owns is rejected', async () => {
    await app.publisher.begin({ id: 'a1', kind: 'agent', tenant: 'one' });
    const other = await app.publisher.begin({ id: 'a1', kind: 'agent', tenant: 'two' });
    expect(other.error).toMatchObject({ code: 'FORBIDDEN' });
    // A caller without a tenant must not learn that it exists.
    expect((await fetch(`${app.url}/api/v0/executions/agents/a1`)).status).toBe(404);
  });

  test('text for a structured run, a value for a text run and a chunk for a workflow are rejected', async () => {
    const structured = await app.publisher.begin({ id: 's', kind: 'task', mode: 'STRUCTURED' });
    const text = await app.publisher.begin({ id: 't', kind: 'task' });
    const workflow = await app.publisher.begin({ id: 'w', kind: 'workflow' });
    for (const call of [
      () => structured.text('x'),
      () => text.value({}),
      () => workflow.text('x'),
      () => workflow.value({}),
      () => text.emit('workflow_status' as never, {} as never),
    ]) {
      expect(await call()).toBe(false);
    }
    expect([structured, text, workflow].map(({ stats }) => stats.rejected)).toEqual([1, 2, 2]);
  });
});

describe('PROTOCOL.md, Events: structured deltas over the wire', () => {
  test('applying the patches in order, starting from null, yields the stored result', async () => {
    const { default: jsonPatch } = await import('fast-json-patch');
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent', mode: 'STRUCTURED' });
    const value: { rows: { n: number; text: string }[]; count: number } = { rows: [], count: 0 };
    for (let i = 0; i < 700; i += 1) {
      value.rows.push({ n: i, text: `row ${i}` });
      value.count = value.rows.length;
      await run.value(value);
    }
    await run.complete();
    using stream = await openSse(restUrl(app.url, 'a1'));
    await stream.ended();
    const patches = stream.frames
      .filter(({ event }) => event === 'structured_delta')
      .map(({ data }) => JSON.parse(data).patch);
    let folded: unknown = null;
    for (const patch of patches) folded = jsonPatch.applyPatch(folded, patch, true).newDocument;
    expect(folded).toEqual(value);
    expect((await app.store.get('a1'))!.result).toEqual(value);
    // A complete value at least every 500 deltas.
    const fullValues = patches.flatMap(([operation], i) => (operation.path === '' ? [i] : []));
    expect(fullValues[0]).toBe(0);
    for (const [i, at] of [...fullValues, patches.length].entries()) {
      if (i > 0) expect(at - fullValues[i - 1]!).toBeLessThanOrEqual(500);
    }
  });
});
