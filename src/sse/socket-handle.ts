// Writes to the handle below a Node socket, as Node's own streams do, but with one request object for all writes that
// complete synchronously. Nearly all writes do, and an object for each is a part of their cost.
//
// This relies on Node internals (`process.binding`, DEP0111: deprecated in its documentation). If they differ from what
// is expected, there is no handle, and callers write to the stream. test/sse/socket-handle.test.ts then fails.
import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

type OnWritten = (error?: Error) => void;

/** The request object of a write. The handle owns it until the write has completed. */
interface WriteRequest {
  /** Referenced here so that it is not collected before it is written. */
  buffer?: Uint8Array;
  onWritten?: OnWritten;
  oncomplete?: (this: WriteRequest, status: number) => void;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  /** The outcome of the last write on any stream, at indexes such as the one below. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

export interface SocketHandle {
  /** Returns 0 or an error number. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
}

const binding = streamBinding();
/** The request of the next write, on any socket. */
let nextRequest = binding && new binding.WriteWrap();

/** The handle of a socket; undefined if it is closed, or if Node's internals are not those expected. */
export function handleOf(socket: Socket): SocketHandle | undefined {
  const { _handle: handle } = socket as { _handle?: Partial<SocketHandle> | null };
  return binding && typeof handle?.writeBuffer === 'function' ? (handle as SocketHandle) : undefined;
}

/**
 * Writes bytes after those that were written before.
 * @param onWritten called if the write did not complete synchronously: when it has, or with its error. The next write
 *   must wait for that.
 * @returns whether the write has completed
 */
export function writeTo(handle: SocketHandle, bytes: Uint8Array, onWritten: OnWritten): boolean {
  const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding!;
  const request = nextRequest!;
  const status = handle.writeBuffer(request, bytes);
  if (status === 0 && streamBaseState[kLastWriteWasAsync] === 0) return true;
  if (status !== 0) {
    onWritten(failure(status));
  } else {
    nextRequest = new WriteWrap();
    Object.assign(request, { buffer: bytes, onWritten, oncomplete });
  }
  return false;
}

function oncomplete(this: WriteRequest, status: number): void {
  this.onWritten!(status === 0 ? undefined : failure(status));
}

function failure(status: number): Error {
  return new Error(`write ${getSystemErrorName(status)}`);
}

function streamBinding(): StreamBinding | undefined {
  try {
    const internals = process as unknown as { binding(name: string): Partial<StreamBinding> };
    const stream = internals.binding('stream_wrap');
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = stream;
    const isAsExpected = WriteWrap && streamBaseState && typeof kLastWriteWasAsync === 'number';
    return isAsExpected ? (stream as StreamBinding) : undefined;
  } catch {
    // Removed, or not permitted.
    return undefined;
  }
}
