// The peers.
import { CENTRIFUGO } from './centrifugo.ts';
import { MERCURE } from './mercure.ts';
import { NCHAN } from './nchan.ts';
import { NODE_PEERS } from './peers.ts';
import type { ServerKind } from './server.ts';

export const PEERS: readonly ServerKind[] = [...NODE_PEERS, NCHAN, CENTRIFUGO, MERCURE];
