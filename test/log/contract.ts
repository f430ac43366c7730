// What every EventLog must do (src/log/log.ts), whatever it is made of: one suite, run by memory.test.ts and
// redis.test.ts.

import { leaseContract } from '../coordination/contract-lease.ts';
import { aliveContract } from '../coordination/contract-liveness.ts';
import { appendContract } from './contract-append.ts';
import { listenContract } from './contract-listen.ts';
import { openContract } from './contract-open.ts';
import { readContract } from './contract-read.ts';
import { relayContract } from './contract-relay.ts';
import type { MakeLog } from './logs.ts';

/** Declares the suite's tests; `make` is asked for a log of its own by each of them. */
export function logContract(make: MakeLog): void {
  openContract(make);
  appendContract(make);
  readContract(make);
  listenContract(make);
  aliveContract(make);
  leaseContract(make);
  relayContract(make);
}
