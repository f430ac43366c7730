// The contract of every EventLog (src/log/log.ts): one suite for memory.test.ts, redis.test.ts and the cluster's test.

import { leaseContract } from '../coordination/contract-lease.ts';
import { livenessContract } from '../coordination/contract-liveness.ts';
import { appendContract } from './contract-append.ts';
import { listenContract } from './contract-listen.ts';
import { openContract } from './contract-open.ts';
import { readContract } from './contract-read.ts';
import { relayContract } from './contract-relay.ts';
import type { MakeLog } from './logs.ts';

/** Declares the suite's tests; `make` creates a log for each of them. */
export function logContract(make: MakeLog): void {
  openContract(make);
  appendContract(make);
  readContract(make);
  listenContract(make);
  livenessContract(make);
  leaseContract(make);
  relayContract(make);
}
