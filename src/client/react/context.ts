// The client of a tree of components.
import { createContext, createElement, type ReactElement, type ReactNode, useContext } from 'react';
import { ExecstreamError } from '../../event/errors.ts';
import type { Client } from '../client.ts';

const ClientContext = createContext<Client | undefined>(undefined);

export interface ExecstreamProviderProps {
  /** Create it outside of components: a new client has new connections. */
  readonly client: Client;
  readonly children?: ReactNode;
}

/**
 * Gives the components below it a client.
 * @example
 * const client = createClient({ url: '/' });
 * createRoot(root).render(<ExecstreamProvider client={client}><App /></ExecstreamProvider>);
 */
export function ExecstreamProvider({ client, children }: ExecstreamProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/**
 * The client of the `ExecstreamProvider` above, for example for its `watch`.
 * @param client takes precedence
 * @throws ExecstreamError `CONFIG` if there is none
 */
export function useExecstreamClient(client?: Client): Client {
  const provided = useContext(ClientContext);
  const found = client ?? provided;
  if (!found)
    throw new ExecstreamError(
      'CONFIG',
      'client: expected an <ExecstreamProvider> above this component, or the option `client`, got neither',
    );
  return found;
}
