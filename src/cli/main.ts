#!/usr/bin/env node
// The `execstream` command.
import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { startCommand } from './start.ts';

// What is made of events is kept for long in some executions and let go of at once in others. V8 would learn from the
// former to make all of it in old space, where garbage waits for a full collection, and keeps alive what it refers to
// (decision 0016).
setFlagsFromString('--no-allocation-site-pretenuring');

await new Command('execstream')
  .description('Live, resumable streams of workflow, agent and task executions')
  .addCommand(startCommand())
  .parseAsync();
