// Options of Hive Gateway for a supergraph that contains execstream.
import type { GatewayConfigSupergraph } from '@graphql-hive/gateway-runtime';

/** The subgraph checks permissions, so it needs the credentials of the gateway's client. */
export const gatewayOptions: Pick<GatewayConfigSupergraph, 'propagateHeaders'> = {
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => {
      const authorization = request.headers.get('authorization');
      return authorization === null ? {} : { authorization };
    },
  },
};
