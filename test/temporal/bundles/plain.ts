// A workflow without a stream, for comparison in bundle.test.ts.
import { sleep } from '@temporalio/workflow';

export async function digest(topic: string): Promise<string> {
  await sleep(10);
  return topic;
}
