// Stops one GraphQL operation: at its timeout, at a limit, or when the client disconnects.
import { setMaxListeners } from 'node:events';
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';

export class OperationStop {
  readonly #timeoutMs: number;
  readonly #request: AbortSignal;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #failure: ExecstreamError | undefined;

  /** @param request aborts when the client disconnects */
  constructor(timeoutMs: number, request: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#request = request;
    // Each read in progress is a listener.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Why the operation was stopped: its first failure. */
  get failure(): ExecstreamError | undefined {
    return this.#failure;
  }

  /** Aborted when the operation is stopped, with the failure as its reason. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Starts the timeout, and stops the operation when the client disconnects. */
  start(): void {
    const detail = `the operation was aborted: it took longer than ${this.#timeoutMs} ms`;
    this.#timer = setTimeout(
      () => this.fail(new ExecstreamError('SOURCE_UNAVAILABLE', detail)),
      this.#timeoutMs,
    );
    if (this.#request.aborted) this.#onDisconnect();
    else this.#request.addEventListener('abort', this.#onDisconnect, { once: true });
  }

  /** Called when the operation has its result. */
  end(): void {
    clearTimeout(this.#timer);
    this.#request.removeEventListener('abort', this.#onDisconnect);
  }

  /** Stops the operation, and returns its first failure, which is the one that is reported. */
  fail(error: ExecstreamError): ExecstreamError {
    this.#failure ??= error;
    this.#stop.abort(this.#failure);
    return this.#failure;
  }

  /** Rejects as soon as the operation is stopped, and stops it if the store is unavailable. */
  async guard<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#stop;
    let onStop: (() => void) | undefined;
    const stopped = new Promise<never>((_, reject) => {
      onStop = () => reject(signal.reason);
      signal.addEventListener('abort', onStop, { once: true });
      if (signal.aborted) onStop();
    });
    try {
      return await Promise.race([work, stopped]);
    } catch (error) {
      if (isExecstreamError(error, 'SOURCE_UNAVAILABLE')) this.fail(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', onStop!);
    }
  }

  readonly #onDisconnect = () => {
    this.fail(new ExecstreamError('SOURCE_UNAVAILABLE', 'the client has closed the request'));
  };
}
