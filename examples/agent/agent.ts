// An agent whose model calls a tool. Viewers see its text as the model generates it, the tool calls with their results, the
// usage, and the failure if there is one.
//
//   node --import tsx examples/agent/agent.ts [QUESTION] [--id ID] [--overloaded]
import { parseArgs } from 'node:util';
import { stepCountIs, streamText } from 'ai';
import { completeWith, createPublisher, type Publisher, publishFullStream } from '../../src/worker.ts'; // 'execstream/worker'
import { createHttpPublisher } from '../../src/worker-http.ts'; // 'execstream/worker/http'
import { createMockModel } from './mock-model.ts';
import { weather } from './tools.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { id: { type: 'string' }, overloaded: { type: 'boolean', default: false } },
});
const { id = `weather-${Date.now()}`, overloaded } = values;
const [prompt = 'Where is it warmer, in Oslo or in Cairo?'] = positionals;

// A real model: openai('gpt-5') of '@ai-sdk/openai'.
const model = createMockModel(overloaded);

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

await using publisher = createAgentPublisher();
const run = await publisher.begin({ id, kind: 'agent', agentId: 'weather', action: 'compare' });
console.log(`npx execstream tail agent ${id}`);
try {
  const { text } = await completeWith(run, () => {
    const { fullStream } = streamText({
      model,
      prompt,
      tools: { weather },
      stopWhen: stepCountIs(5),
      // Another attempt of this execution, or Ctrl-C, stops the work.
      abortSignal: AbortSignal.any([run.signal, stop.signal]),
      // The error is also in the stream, and `completeWith` throws it.
      onError: () => {},
    });
    return publishFullStream(run, fullStream);
  });
  console.log(`\n${text.trimEnd()}`);
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}

/** Over HTTP, or with Redis and Postgres, as a worker beside the server has them. */
function createAgentPublisher(): Publisher {
  const {
    REDIS_URL: redis,
    DATABASE_URL: database,
    EXECSTREAM_URL: url = 'http://localhost:4000',
  } = process.env;
  return redis && database ? createPublisher({ redis, database }) : createHttpPublisher({ url });
}
