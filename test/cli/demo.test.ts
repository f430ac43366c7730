// `execstream demo`: what it prints works.
import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { execstream, startExecstream } from './execstream.ts';

// On a busy machine, each process takes seconds to load, and so does the embedded database.
vi.setConfig({ testTimeout: 90_000 });

test('the commands that it prints follow its executions to their ends, and Ctrl-C stops it', async () => {
  await using demo = await startExecstream(`demo --port ${await freePort()} --pace 100`);
  await demo.prints(/Ctrl-C stops the demo/, 60_000);
  const commands = [...demo.stdout.matchAll(/^ {2}npx execstream (.*)$/gm)].map(([, args]) => args!);
  expect(commands.map((args) => args.replace(/ --url http:\/\/127\.0\.0\.1:\d+$/, ''))).toEqual([
    'ls',
    'tail agent demo-1-guide',
    'tail workflow demo-1',
  ]);
  const [list, guide, workflow] = await Promise.all(commands.map((args) => execstream(args)));
  expect(list).toMatchObject({ code: 0, stdout: expect.stringContaining('demo-1-guide') });
  expect(guide).toMatchObject({ code: 0, stdout: expect.stringMatching(/^# A guide, as it is written\n/) });
  expect(workflow).toMatchObject({ code: 0, stdout: expect.stringContaining('agent_start guide write') });
  expect(await demo.end('SIGINT')).toBe(0);
  expect(demo.stderr).toBe('');
});

test('a port that is taken, and wrong flags, end it with 1 and the reason', async () => {
  const taken = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
  const { code, stderr } = await execstream(`demo --port ${port}`);
  taken.close();
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /^execstream: --port: already in use; set another one, or 0 for a free one \(.*\)\n$/,
    ),
  ]);
  expect((await execstream('demo --pace fast')).stderr).toBe(
    'execstream: --pace: expected 0.1 to 100, got "fast"\n',
  );
  expect((await execstream('demo', { PORT: 'x' })).stderr).toBe(
    'execstream: PORT: expected 0 to 65535, got "x"\n',
  );
});
