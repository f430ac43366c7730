// How far each publisher's batches were acknowledged, so that a log that was put back to an older state is found out
// (ARCHITECTURE.md, invariant 3): it looks whole in itself. The client may say it (`Publisher-Head`), which is certain
// with several servers; what this server has answered itself, it remembers.
import { ExecstreamError } from '../../event/errors.ts';

/** Publishers that are remembered, the latest ones. */
const REMEMBERED = 10_000;

export function createAcknowledged() {
  const heads = new Map<string, number>();
  const keyOf = (executionId: string, token: string) => JSON.stringify([executionId, token]);

  return {
    /**
     * The seq that the log must have reached at least.
     * @throws ExecstreamError `BAD_USER_INPUT` where the header is no seq.
     */
    of(request: Request, executionId: string, token: string): number {
      return Math.max(headOf(request), heads.get(keyOf(executionId, token)) ?? 0);
    },
    note(executionId: string, token: string, head: number): void {
      const key = keyOf(executionId, token);
      heads.delete(key);
      heads.set(key, head);
      if (heads.size > REMEMBERED) heads.delete(heads.keys().next().value!);
    },
  };
}

function headOf(request: Request): number {
  const text = request.headers.get('Publisher-Head');
  if (text === null || /^\d{1,15}$/.test(text)) return Number(text ?? 0);
  throw new ExecstreamError(
    'BAD_USER_INPUT',
    'header Publisher-Head: expected the `head` of the last answer',
  );
}
