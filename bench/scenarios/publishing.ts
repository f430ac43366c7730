// G: how much one worker can publish: through our publisher, event by event into our log, and by PUBLISH alone.
import { PUBLISHING_WAYS, publishThroughput } from '../publisher.ts';
import type { Scenario } from './scenario.ts';

export const PUBLISHING: Scenario = {
  name: 'G',
  is: 'one worker publishes 500 pieces of 100 bytes to each of 100 executions, as fast as it may',
  needsServers: false,
  comparesPeers: false,
  async run(run) {
    for (const way of PUBLISHING_WAYS) {
      run.add('G', way, { piecesPerSecond: await publishThroughput(way, run.stage.place) });
    }
  },
};
