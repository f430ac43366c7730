// `workflowStream`: the events of a workflow execution.
import { defineStream } from './stream.ts';

defineStream('workflow');
