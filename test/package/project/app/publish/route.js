// Next's edge runtime is deprecated, so that this function runs in Node, too.
import { publish } from '../../edge.js';

export async function POST(request) {
  const id = new URL(request.url).searchParams.get('id');
  await publish(process.env.NEXT_PUBLIC_STREAMS_URL, id);
  return new Response(`published ${id}`);
}
