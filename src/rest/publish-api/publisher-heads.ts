// The last acknowledged seq of each publisher. It reveals a log that was restored to an older state, which is
// consistent in itself. A client may send it (`Publisher-Head`), which also works with several servers; this server
// remembers the heads in its own responses.
import { LruMap } from '../../async/lru-map.ts';
import { ExecstreamError } from '../../event/errors.ts';

/** The most recent publishers are remembered. */
const MAX_PUBLISHERS = 10_000;

export type PublisherHeads = ReturnType<typeof createPublisherHeads>;

export function createPublisherHeads() {
  const heads = new LruMap<string, number>(MAX_PUBLISHERS);
  // A log that was lost begins again at 0 in another epoch.
  const keyOf = (executionId: string, token: string, epoch?: string) =>
    JSON.stringify([executionId, token, epoch]);

  return {
    /**
     * The seq that the log must have reached.
     * @throws ExecstreamError `BAD_USER_INPUT` if the header is not a seq.
     */
    get(request: Request, executionId: string, token: string, epoch?: string): number {
      return Math.max(headOf(request), heads.get(keyOf(executionId, token, epoch)) ?? 0);
    },
    set(executionId: string, token: string, head: number, epoch?: string): void {
      heads.set(keyOf(executionId, token, epoch), head);
    },
  };
}

function headOf(request: Request): number {
  const text = request.headers.get('Publisher-Head');
  if (text === null || /^\d{1,15}$/.test(text)) return Number(text ?? 0);
  throw new ExecstreamError(
    'BAD_USER_INPUT',
    'header Publisher-Head: expected the `head` of the last response',
  );
}
