// The client and nginx, with the documented configuration, whose server is killed or becomes silent.
import { expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { chunk, directLog, startApp } from '../support/app.ts';
import { describeNginx, startNginx } from '../support/nginx.ts';
import { startProxy } from '../support/silent-proxy.ts';
import { until } from '../support/wait.ts';

const HEARTBEAT_MS = 500;

describeNginx('through nginx', () => {
  test.each([
    ['killed', true],
    ['silent', false],
  ])(
    'a client detects a %s server within 2.5 heartbeats, and continues with another',
    async (_, isKilled) => {
      await using app = await startApp({ settings: { heartbeatMs: HEARTBEAT_MS, retryMs: 20 } });
      const execution = await directLog(app);
      // Its connections are those of a server that disappears.
      await using server = await startProxy(app);
      await using nginx = await startNginx(Number(new URL(server.url).port));
      const client = createClient({
        url: nginx.url,
        heartbeatMs: HEARTBEAT_MS,
        backoff: { firstMs: 20, maxMs: 20 },
      });
      const run = client.follow('agent', 'a1', { mode: 'TEXT' });
      await execution.append(chunk('one\r\n'));
      await until(() => run.state.text === 'one\r\n');
      const lostAt = performance.now();
      if (isKilled) server.drop();
      else server.silence();
      await until(() => run.connection.status !== 'live', { everyMs: 1 });
      const detectedMs = performance.now() - lostAt;
      console.log(`a ${isKilled ? 'killed' : 'silent'} server: detected after ${Math.round(detectedMs)} ms`);
      expect(detectedMs).toBeLessThan(2.5 * HEARTBEAT_MS + 250);
      await execution.append(chunk('☃ two'));
      await execution.complete();
      expect(await run.ended).toMatchObject({ text: 'one\r\n☃ two', status: 'SUCCESS' });
    },
    30_000,
  );
});
