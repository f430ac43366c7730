// What Relay's compiler would generate for a subscription of an agent's stream.
import type { ConcreteRequest } from 'relay-runtime';

const scalar = (name: string) =>
  ({ kind: 'ScalarField', alias: null, args: null, name, storageKey: null }) as const;

export interface RelayDocument {
  /** The document, with `__typename`. The operation is named `Watch`. */
  readonly text: string;
  /** The arguments of `agentStream`, and the variables that are passed to them. */
  readonly args: Readonly<Record<string, string>>;
  /** Selected for all events. */
  readonly fields: readonly string[];
  /** Selected for `LlmChunkEvent`. */
  readonly chunkFields?: readonly string[];
}

export function relayRequest({ text, args, fields, chunkFields = [] }: RelayDocument): ConcreteRequest {
  const argumentDefinitions = Object.values(args).map((name) => ({
    kind: 'LocalArgument',
    defaultValue: null,
    name,
  }));
  const chunk = {
    kind: 'InlineFragment',
    type: 'LlmChunkEvent',
    abstractKey: null,
    selections: chunkFields.map(scalar),
  };
  const selections = [
    {
      kind: 'LinkedField',
      alias: null,
      args: Object.entries(args).map(([name, variableName]) => ({ kind: 'Variable', name, variableName })),
      concreteType: null,
      name: 'agentStream',
      plural: false,
      selections: [...['__typename', ...fields].map(scalar), ...(chunkFields.length > 0 ? [chunk] : [])],
      storageKey: null,
    },
  ];
  const name = 'Watch';
  const shared = { name, argumentDefinitions, selections };
  return {
    kind: 'Request',
    fragment: { ...shared, kind: 'Fragment', metadata: null, type: 'Subscription', abstractKey: null },
    operation: { ...shared, kind: 'Operation' },
    params: { id: null, cacheID: name, name, operationKind: 'subscription', text, metadata: {} },
  } as unknown as ConcreteRequest;
}
