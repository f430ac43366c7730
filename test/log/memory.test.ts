// The log in memory fulfils the contract of logs.
import { describe } from 'vitest';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { logContract } from './contract.ts';

describe('the memory log', () => {
  logContract((bounds) => createMemoryLog({ ...DEFAULT_BOUNDS, ...bounds }));
});
