// A page that shows the execution a1, with everything that a page has of the client.
import { createClient } from 'execstream-client';
import { ExecstreamProvider, useExecution } from 'execstream-client/react';
import { shareTabs } from 'execstream-client/tabs';
import { createElement } from 'react';

function Execution() {
  const { state, connection } = useExecution('agent', 'a1');
  return createElement('pre', { title: connection.status }, state.text);
}

/** A component that connects to a server. */
export function createPage(url) {
  const client = createClient({ url, tabs: shareTabs() });
  return () => createElement(ExecstreamProvider, { client }, createElement(Execution));
}
