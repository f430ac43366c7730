// A default export: Temporal runs it for every type of workflow that the module does not export.
import { workflowInfo } from '@temporalio/workflow';
import { streamed } from '../../../src/temporal/workflow/index.ts';

export default streamed(async function anything(stream): Promise<string> {
  stream.status('RUNNING', 'anything');
  return workflowInfo().workflowType;
});
