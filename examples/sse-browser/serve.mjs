// Serves index.html on http://localhost:8080/ (or on PORT): a page needs an origin that the server can allow.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const FILES = {
  '/': ['index.html', 'text/html'],
  '/state.js': ['state.gen.mjs', 'text/javascript'],
};

const server = createServer(async (request, response) => {
  const file = FILES[new URL(request.url, 'http://localhost').pathname];
  if (!file) return response.writeHead(404).end();
  const [path, type] = file;
  const content = await readFile(new URL(path, import.meta.url));
  return response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(content);
});
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}/`);
});
