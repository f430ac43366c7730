// `workflowStream`: the events of a workflow execution.
import { defineStream } from './streams.ts';

defineStream('workflow');
