// All methods below `/streams` are execstream's.
import { getExecstream } from '../../../execstream.js';

// Streams last longer than a static response, and need the Node.js runtime.
export const dynamic = 'force-dynamic';
export const runtime = 'nodejs';

const handle = (request) => getExecstream().fetch(request);

export { handle as DELETE, handle as GET, handle as HEAD, handle as OPTIONS, handle as POST, handle as PUT };
