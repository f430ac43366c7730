// graphql-sse's handler of the single connection mode, as Yoga runs it: operations pass through Yoga's plugins, errors keep
// their codes, and `Accept` is negotiated (the handler itself compares it as a string).
import { STATUS_CODES } from 'node:http';
import { GraphQLError, getOperationAST } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/fetch';
import type { Plugin, YogaServerInstance } from 'graphql-yoga';
import { preferredType } from '../http/negotiation.ts';
import { maskError, statusOf, withoutHttp, withProtocolCode } from './errors.ts';
import { SSE_TYPE } from './subscription-encoder.ts';

export interface SingleConnectionOptions {
  /** Returns the token of a request's reservation; undefined if it belongs to another caller. */
  authenticate(request: Request): string | undefined;
  /** Called before a result is sent to a reservation's connection. */
  onNext(request: Request): Promise<void>;
  onComplete(request: Request): void;
}

export interface SingleConnection {
  readonly onYogaInit: NonNullable<Plugin['onYogaInit']>;
  /** @param context what the server passes with the request */
  handle(request: Request, context: object): Promise<Response>;
}

/** UTF-16 code units of an operation's id, which every message repeats. */
const MAX_OPERATION_ID = 200;
const JSON_TYPE = 'application/json; charset=utf-8';
/** Of the library's responses, by status. */
const CODES: { readonly [status: number]: string } = {
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  406: 'NOT_ACCEPTABLE',
};

export function createSingleConnection(options: SingleConnectionOptions): SingleConnection {
  const contexts = new WeakMap<Request, object>();
  let yoga!: YogaServerInstance<object, object>;

  const handler = createHandler({
    authenticate: ({ raw }) =>
      options.authenticate(raw) ?? [null, { status: 404, statusText: 'Stream not found' }],
    onNext: (_, { raw }) => options.onNext(raw),
    onComplete: (_, { raw }) => options.onComplete(raw),
    onSubscribe: async ({ raw }, params) => {
      const errors: GraphQLError[] = [];
      try {
        checkOperationId(params.extensions?.operationId);
        const { parse, validate, schema, contextFactory, subscribe, execute } = yoga.getEnveloped({
          ...contexts.get(raw),
          request: raw,
          params,
        });
        const document = parse(params.query as string);
        errors.push(...validate(schema, document));
        if (errors.length === 0) {
          const { variables, operationName } = params;
          const contextValue = await contextFactory();
          const args = { schema, document, contextValue, variableValues: variables, operationName };
          const operation = getOperationAST(document, operationName)?.operation;
          return await (operation === 'subscription' ? subscribe(args as never) : execute(args as never));
        }
      } catch (error) {
        // An error with its own HTTP status is reported by the caller.
        if (!(error instanceof GraphQLError) || statusOf({ errors: [maskError(error) as GraphQLError] })) {
          throw error;
        }
        errors.push(error);
      }
      const masked = errors.map((error) => withProtocolCode(maskError(error) as GraphQLError));
      const shown = masked.map(withoutHttp);
      // Without the key `data`, graphql-sse does not recognise a result.
      if (acceptOf(raw) === SSE_TYPE) return { data: undefined, errors: shown } as never;
      const { status = 400, headers } = masked[0]!.extensions.http ?? {};
      const statusText = STATUS_CODES[status] ?? '';
      return [
        JSON.stringify({ errors: shown }),
        { status, statusText, headers: { ...headers, 'content-type': JSON_TYPE } },
      ];
    },
  });

  return {
    onYogaInit: (payload) => {
      yoga = payload.yoga as typeof yoga;
    },
    async handle(request, context) {
      contexts.set(request, context);
      const accept = acceptOf(request);
      if (accept) request.headers.set('accept', accept);
      return withCode(await handler(request));
    },
  };
}

/** @throws GraphQLError for an id that is too long */
function checkOperationId(id: unknown): void {
  const { length } = String(id);
  if (length <= MAX_OPERATION_ID) return;
  const message = `extensions.operationId: expected up to ${MAX_OPERATION_ID} characters, got ${length}`;
  throw new GraphQLError(message);
}

/** The only values of the header that the handler understands; undefined if the request accepts none of them. */
function acceptOf(request: Request): string | undefined {
  return preferredType(request, request.method === 'PUT' ? ['text/plain'] : ['application/json', SSE_TYPE]);
}

/** The library's errors have no code, and some have no body. */
async function withCode(response: Response): Promise<Response> {
  const { status, statusText, headers } = response;
  if (status < 400) return response;
  const body: { errors: { message: string; extensions?: object }[] } = await response
    .json()
    .catch(() => ({ errors: [{ message: statusText }] }));
  const code = CODES[status] ?? 'BAD_USER_INPUT';
  const errors = body.errors.map(({ extensions, ...error }) => ({
    ...error,
    extensions: extensions ?? { code },
  }));
  const allow = headers.get('allow');
  return new Response(JSON.stringify({ errors }), {
    status,
    headers: { 'content-type': JSON_TYPE, ...(allow && { allow }) },
  });
}
