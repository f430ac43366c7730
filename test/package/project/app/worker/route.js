// A function in Node.
import { openAndClose } from '../../publisher.js';

export async function POST() {
  return new Response(await openAndClose());
}
