// The client, and the page.
import { createClient } from 'execstream/client';
import { ExecstreamProvider } from 'execstream/client/react';
import { shareTabs } from 'execstream/client/tabs';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { fetchToken } from './token.ts';
import './style.css';

const heartbeatMs = Number(import.meta.env.VITE_HEARTBEAT_MS ?? 15_000);
const client = createClient({ url: '/', token: fetchToken, tabs: shareTabs(), heartbeatMs });

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <ExecstreamProvider client={client}>
      <App />
    </ExecstreamProvider>
  </StrictMode>,
);
