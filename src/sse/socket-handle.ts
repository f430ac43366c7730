// Writes to the handle beneath a socket of Node, as Node's own streams do, but with one request object for all writes
// that the kernel takes at once: nearly all are such, and an object each is a part of what they cost.
//
// This is inside Node (`process.binding`, DEP0111: deprecated in its documentation). Where anything of it is not as
// known there is no such handle, and who asks writes to the stream. test/sse/socket-handle.test.ts tells of that.
import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

type OnWritten = (error?: Error) => void;

/** What a write is asked of the handle with. It is the handle's until the kernel has taken all. */
interface WriteRequest {
  /** Kept alive until it is written. */
  buffer?: Uint8Array;
  onWritten?: OnWritten;
  oncomplete?: (this: WriteRequest, status: number) => void;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  /** What the last write on any stream came to, at these places. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

export interface SocketHandle {
  /** Answers 0, or the number of what went wrong. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
}

const binding = streamBinding();
/** For the next write of any socket. */
let spare = binding && new binding.WriteWrap();

/** The handle of a socket; undefined where this Node has none that is as known. */
export function handleOf(socket: Socket): SocketHandle | undefined {
  const { _handle: handle } = socket as { _handle?: Partial<SocketHandle> | null };
  return binding && typeof handle?.writeBuffer === 'function' ? (handle as SocketHandle) : undefined;
}

/**
 * Writes bytes, behind those that were written before.
 * @param onWritten is called where the kernel has not taken all at once: when it has, or with what went wrong. The next
 *   write waits for that.
 * @returns whether the kernel has taken all
 */
export function writeTo(handle: SocketHandle, bytes: Uint8Array, onWritten: OnWritten): boolean {
  const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding!;
  const request = spare!;
  const status = handle.writeBuffer(request, bytes);
  if (status === 0 && streamBaseState[kLastWriteWasAsync] === 0) return true;
  if (status !== 0) {
    onWritten(failure(status));
  } else {
    spare = new WriteWrap();
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
    const found = (process as unknown as { binding(name: string): Partial<StreamBinding> }).binding(
      'stream_wrap',
    );
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = found;
    const isKnown = WriteWrap && streamBaseState && typeof kLastWriteWasAsync === 'number';
    return isKnown ? (found as StreamBinding) : undefined;
  } catch {
    // Taken away, or not permitted.
    return undefined;
  }
}
