// A worker with Temporal's own libraries of the version in SDK_FOLDER, for the workflows beside this file. Prints a line
// when it polls. With AGENT, it is the plugin for the AI SDK that publishes, with a model that needs no provider and writes
// a word every AGENT ms.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { WorkflowStreamClient } from '@temporalio/workflow-streams/client';

const { SDK_FOLDER: folder, ADDRESS: address, TASK_QUEUE: taskQueue, AGENT } = process.env;

Runtime.install({ logger: new DefaultLogger('ERROR') });

async function publishTokens(topic, tokens) {
  const stream = WorkflowStreamClient.fromWithinActivity({ batchInterval: '20 milliseconds' });
  for (const token of tokens) {
    stream.topic(topic).publish({ type: 'text-delta', id: '0', delta: token }, { forceFlush: true });
    await delay(10);
  }
  await stream[Symbol.asyncDispose]();
}

async function publishThenFail(topic) {
  const { attempt } = activityInfo();
  const stream = WorkflowStreamClient.fromWithinActivity();
  for (const part of [
    { type: 'stream-start', warnings: [] },
    { type: 'text-delta', id: '0', delta: `attempt ${attempt}. ` },
  ])
    stream.topic(topic).publish(part);
  if (attempt > 1) stream.topic(topic).publish({ type: 'finish', finishReason: 'stop', usage: {} });
  await stream[Symbol.asyncDispose]();
  if (attempt === 1) throw new Error('the model is overloaded');
}

/** The plugin, and a model that writes slowly. */
async function agentPlugin() {
  const { AiSdkPlugin } = await import('@temporalio/ai-sdk');
  const { MockLanguageModelV4 } = await import('ai/test');
  const { simulateReadableStream } = await import('ai');
  const words = 'The quick brown fox jumps over the lazy dog.'.split(/(?<= )/);
  const usage = {
    inputTokens: { total: 7, noCache: 7, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 9, text: 9, reasoning: 0 },
  };
  const chunks = [
    { type: 'stream-start', warnings: [] },
    { type: 'response-metadata', id: 'r1', modelId: 'stand-in', timestamp: new Date(0) },
    { type: 'reasoning-start', id: 'r' },
    { type: 'reasoning-delta', id: 'r', delta: 'thinking' },
    { type: 'reasoning-end', id: 'r' },
    { type: 'text-start', id: '0' },
    ...words.map((delta) => ({ type: 'text-delta', id: '0', delta })),
    { type: 'text-end', id: '0' },
    { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
  ];
  const model = new MockLanguageModelV4({
    modelId: 'stand-in',
    doStream: async () => ({ stream: simulateReadableStream({ chunks, chunkDelayInMs: Number(AGENT) }) }),
  });
  const modelProvider = { languageModel: () => model };
  return new AiSdkPlugin({ modelProvider });
}

const plugins = AGENT ? [await agentPlugin()] : [];
const connection = await NativeConnection.connect({ address });
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: join(import.meta.dirname, AGENT ? 'agent-workflows.mjs' : 'workflows.mjs'),
  logger: new DefaultLogger('ERROR'),
  plugins,
  webpackConfigHook: (config) => {
    const modules = [join(folder, 'node_modules'), ...(config.resolve.modules ?? ['node_modules'])];
    return { ...config, resolve: { ...config.resolve, modules } };
  },
});
const worker = await Worker.create({
  ...{ connection, taskQueue, workflowBundle, plugins },
  activities: { publishTokens, publishThenFail },
});
console.log(`polling ${taskQueue}`);
await worker.run();
