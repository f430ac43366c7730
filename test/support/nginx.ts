// nginx as a proxy in front of a server of ours, with the configuration of docs/proxies.md.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { findPart, NGINX } from '../../scripts/test-services.ts';
import { blocksOf, replaced } from '../docs/blocks.ts';
import { until } from './wait.ts';

const binary = findPart(NGINX);
const { text: DOCUMENTED } = blocksOf('docs/proxies.md').find(({ language }) => language === 'nginx')!;

/** `describe` for suites that need nginx; skipped if it is not installed. */
export const describeNginx = describe.skipIf(binary === undefined);

export interface Nginx extends AsyncDisposable {
  readonly url: string;
  readonly errors: string;
}

/** Runs nginx with the documented server, in front of a port. */
export async function startNginx(
  upstream: number,
  change: Record<string, string> = {},
  tls = false,
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  const port = await freePort();
  let listen = `listen 127.0.0.1:${port};`;
  if (tls) {
    const key = ['-keyout', `${folder}/key.pem`, '-out', `${folder}/cert.pem`, '-subj', '/CN=localhost'];
    spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...key]);
    listen =
      `listen 127.0.0.1:${port} ssl http2;` +
      `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`;
  }
  const server = replaced(DOCUMENTED, {
    'listen 80;': listen,
    '127.0.0.1:4000': `127.0.0.1:${upstream}`,
    ...change,
  });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (of) => `${of}_temp_path ${folder}/${of};`,
  );
  const config = `daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
    worker_processes 1; events {} http { access_log off; ${paths.join(' ')}
    ${server} }`;
  writeFileSync(join(folder, 'nginx.conf'), config);
  const nginx = spawn(
    binary!,
    ['-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`, '-g', 'user root;'],
    {
      stdio: 'inherit',
    },
  );
  const exited = once(nginx, 'exit');
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const errors = () => readFileSync(join(folder, 'error.log'), 'utf8');
  await until(() => readFileSync(join(folder, 'pid'), 'utf8'), { what: 'nginx' });
  return {
    url,
    get errors() {
      return errors();
    },
    [Symbol.asyncDispose]: async () => {
      nginx.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
