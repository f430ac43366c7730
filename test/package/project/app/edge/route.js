// A function in Next's edge runtime.
import { publish } from '../../edge.js';

export const runtime = 'edge';

export async function POST(request) {
  const id = new URL(request.url).searchParams.get('id');
  await publish(process.env.NEXT_PUBLIC_STREAMS_URL, id);
  return new Response(`published ${id}`);
}
