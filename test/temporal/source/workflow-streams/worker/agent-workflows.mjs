// An agent of the AI SDK in a workflow: its model runs in an activity, which publishes the parts into the workflow's stream.
import { TemporalProvider } from '@temporalio/ai-sdk/workflow';
import { WorkflowStream } from '@temporalio/workflow-streams/workflow';
import { streamText } from 'ai';

const provider = new TemporalProvider({
  languageModel: { streamingTopic: 'tokens', streamingBatchInterval: 20 },
});

export async function agent(prompt) {
  new WorkflowStream();
  return await streamText({ model: provider.languageModel('stand-in'), prompt }).text;
}
