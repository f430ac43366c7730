// `taskStream`: the events of a task execution.
import { defineStream } from './stream.ts';

defineStream('task');
