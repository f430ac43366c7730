// G: the throughput of one worker: with our publisher, with single events to our log, and with PUBLISH only.
import { PUBLISHING_WAYS, publishThroughput } from '../publisher.ts';
import type { Scenario } from './scenario.ts';

export const PUBLISHING: Scenario = {
  name: 'G',
  description: 'one worker publishes 500 pieces of 100 bytes to each of 100 executions, as fast as possible',
  needsServers: false,
  comparesPeers: false,
  async run(run) {
    for (const way of PUBLISHING_WAYS) {
      run.add('G', way, { piecesPerSecond: await publishThroughput(way, run.stage.place) });
    }
  },
};
