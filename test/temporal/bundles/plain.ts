// A workflow without a stream: what bundle-size.test.ts compares with.
import { sleep } from '@temporalio/workflow';

export async function digest(topic: string): Promise<string> {
  await sleep(10);
  return topic;
}
