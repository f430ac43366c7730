// How a cluster node rejects a command that it has not run, and where it sends the caller.
import { isExecstreamError } from '../../event/errors.ts';
import { type Address, hostAndPort } from './slots.ts';

export type Redirect =
  /** The slot belongs to another node. An address without a host is on the host of the node that replied. */
  | { readonly kind: 'moved'; readonly address: Address }
  /** The slot is migrating, and the other node has the key already. */
  | { readonly kind: 'ask'; readonly address: Address }
  /** No node can serve the slot for now. */
  | { readonly kind: 'retry' };

const REJECTION = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING)\b(?: \d+ (\S+))?/;

/** The redirect that a command failed with; undefined for every other error. */
export function redirectOf(error: unknown): Redirect | undefined {
  const cause = isExecstreamError(error) ? error.cause : undefined;
  const [, code, address] = (cause instanceof Error && REJECTION.exec(cause.message)) || [];
  if (code === undefined) return undefined;
  if (address === undefined) return { kind: 'retry' };
  if (code === 'MOVED') return { kind: 'moved', address };
  return code === 'ASK' ? { kind: 'ask', address } : { kind: 'retry' };
}

/** Completes an address: a node that does not know the name of the other one leaves the host out. */
export function resolveAddress(address: Address, repliedBy: Address): Address {
  return address.startsWith(':') ? `${hostAndPort(repliedBy).host}${address}` : address;
}
