#!/usr/bin/env node
// The `execstream` command.
import { Command } from 'commander';
import { startCommand } from './start.ts';

await new Command('execstream')
  .description('Live, resumable streams of workflow, agent and task executions')
  .addCommand(startCommand())
  .parseAsync();
