// The slots of a cluster: which one a key belongs to, and which master each one has.

const SLOTS = 16_384;

/** A node, as `host:port`. */
export type Address = string;

/**
 * The slot of a key or channel: the hash of the text between its first braces, if that is not empty.
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0; // CRC-16/XMODEM
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}

/** The master of each slot; undefined for a slot without one. */
export type SlotOwners = (Address | undefined)[];

export function noOwners(): SlotOwners {
  return new Array<Address | undefined>(SLOTS).fill(undefined);
}

/** The reply of CLUSTER SLOTS: ranges, each with its master and that master's replicas. */
export type SlotsReply = [
  first: number,
  last: number,
  master: [host: string | null, port: number],
  ...unknown[],
][];

/** @param repliedBy the host that replied: a node that does not know its own name leaves it out */
export function toOwners(reply: SlotsReply, repliedBy: string): SlotOwners {
  const owners = noOwners();
  for (const [first, last, [host, port]] of reply)
    owners.fill(`${host || repliedBy}:${port}`, first, last + 1);
  return owners;
}

export function hostAndPort(address: Address): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
