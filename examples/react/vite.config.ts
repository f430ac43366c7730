// Vite's development server for the page: it passes the requests to execstream on, and serves tokens.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { tokenEndpoint } from './token-endpoint.ts';

const { EXECSTREAM_URL = 'http://localhost:4000', AUTH_SHARED_KEY = '', TOKEN_SECONDS = '60' } = process.env;

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

export default defineConfig({
  plugins: [tokenEndpoint(AUTH_SHARED_KEY, Number(TOKEN_SECONDS))],
  server: { proxy: { '/graphql': EXECSTREAM_URL } },
  resolve: {
    // In this repository only. A project that has installed the package does not need it.
    alias: {
      'execstream/client/react': source('client/react/index.ts'),
      'execstream/client/tabs': source('client/tabs.ts'),
      'execstream/client': source('client/index.ts'),
    },
  },
});
