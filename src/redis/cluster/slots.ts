// Which slot of a cluster a key belongs to, and what nodes say about who has which.

export const SLOTS = 16_384;

/** A node, as `host:port`. */
export type Address = string;

/**
 * The slot of a key or channel: of what stands between its first braces, where that is not empty.
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

/** The reply of CLUSTER SLOTS: ranges, each with its master and that one's replicas. */
export type SlotsReply = [
  first: number,
  last: number,
  master: [host: string | null, port: number],
  ...unknown[],
][];

/**
 * The master of each slot; undefined where there is none.
 * @param answeredBy the host that answered: a node that does not know its own name leaves it out.
 */
export function toOwners(reply: SlotsReply, answeredBy: string): (Address | undefined)[] {
  const owners = new Array<Address | undefined>(SLOTS).fill(undefined);
  for (const [first, last, [host, port]] of reply)
    owners.fill(`${host || answeredBy}:${port}`, first, last + 1);
  return owners;
}

export function hostAndPort(address: Address): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
