// `agentStream`: the events of an agent execution.
import { defineStream } from './stream.ts';

defineStream('agent');
