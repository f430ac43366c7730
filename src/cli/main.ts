// The entry of the `execstream` command.
import { setFlagsFromString } from 'node:v8';
import { runProgram } from './program.ts';

// Objects created for events live long in some executions and die immediately in others. V8 would learn from the former
// to allocate all of them in old space, where garbage remains until a full collection and keeps other objects alive
// (decision 0016).
setFlagsFromString('--no-allocation-site-pretenuring');

await runProgram(process.argv.slice(2));
