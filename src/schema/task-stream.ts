// `taskStream`: the events of a task execution.
import { defineStream } from './streams.ts';

defineStream('task');
