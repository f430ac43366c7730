// `agentStream`: the events of an agent execution.
import { defineStream } from './streams.ts';

defineStream('agent');
