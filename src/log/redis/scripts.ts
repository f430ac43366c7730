// The Lua scripts of the log, each one atomic step in Redis. Their meaning is defined in log.ts; memory-log.ts is the
// same in TypeScript.
//
// Invariants
// 1. The log holds the seqs `first`..`head` without a gap; `bytes` is the sum of their envelopes.
// 2. A meta hash with a head above 0 and no log, or a log without meta, counts as no log: one of the keys was evicted.
//    An opened log without events is meta with head 0 alone, as Redis has no empty streams.
// 3. Envelopes are concatenated from JSON texts that the client wrote. They never pass through cjson, which turns
//    [] into {}, rounds numbers and reorders keys.
// 4. Nothing is written before every check has passed: a rejected call changes nothing but the fencing token.
import type { Redis } from 'ioredis';
import type { Connection } from '../../redis/connection.ts';
import { APPEND_TO_LOG, OPEN_LOG, READ_LOG } from './scripts.gen.ts';

type Script = (...keysAndArguments: (string | number)[]) => Promise<unknown>;

/** A client on which `defineScripts` has defined the scripts. */
export type ScriptedRedis = Redis & { openLog: Script; appendToLog: Script; readLog: Script };

/**
 * Defines the scripts as methods of the clients. ioredis sends EVALSHA, and EVAL if Redis does not know the script.
 * Their arguments are the same everywhere; in a cluster, where announcements are sharded, the channel is not a key.
 */
export function defineScripts(clients: Pick<Connection, 'defineCommand' | 'isSharded'>): void {
  const numberOfKeys = clients.isSharded ? 2 : 3;
  clients.defineCommand('openLog', { numberOfKeys, lua: OPEN_LOG });
  clients.defineCommand('appendToLog', { numberOfKeys, lua: APPEND_TO_LOG });
  clients.defineCommand('readLog', { numberOfKeys: 2, lua: READ_LOG });
}
