// The oldest version of Temporal's SDK that the peer ranges accept, and the one that @temporalio/ai-sdk requires. All other
// suites use the newest.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { compiledProgram } from '../../support/compiled-program.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { describeTemporalSdks, TEMPORAL_SDK_FOLDERS } from '../../support/temporal-sdks.ts';

const run = promisify(execFile);
const EVENTS = ['workflow_start', 'agent_start', 'agent_status', 'task_start', 'task_status', 'complete'];

describeTemporal('a worker', () => {
  const temporal = useTemporal();

  describeTemporalSdks('with another version of the SDK', () => {
    test.each(TEMPORAL_SDK_FOLDERS)(
      '%s streams its workflows and activities, and replays',
      async (version, folder) => {
        const program = await compiledProgram('test/temporal/versions/child.ts');
        const args = ['--import', './test/temporal/versions/resolve.mjs', ...program];
        const { stdout } = await run(process.execPath, args, {
          env: { ...process.env, SDK_FOLDER: folder, ADDRESS: temporal.address },
        });
        const observed = JSON.parse(stdout.trim().split('\n').at(-1)!);
        expect(observed).toMatchObject({
          version,
          returned: { text: 'written', value: { picked: 2 } },
          queried: EVENTS,
          appended: EVENTS,
          rows: ['SUCCESS', 'SUCCESS', 'SUCCESS'],
          children: 6,
        });
        expect(observed.replays.length).toBeGreaterThan(5);
        for (const replay of observed.replays) expect(replay).toMatch(/: replayed$/);
      },
      120_000,
    );

    test('is the oldest that every peer range accepts', () => {
      const oldest = TEMPORAL_SDK_FOLDERS[0]![0].replace(/\.0$/, '');
      const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
      const ofTemporal = Object.entries(peerDependencies).filter(([name]) => name.startsWith('@temporalio/'));
      expect(new Set(ofTemporal.map(([, range]) => range))).toEqual(new Set([`^${oldest}`]));
    });
  });
});
