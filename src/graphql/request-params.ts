// A Yoga plugin: validates a GraphQL request's parameters before anything else reads them. Yoga does not catch errors in
// forms, and reports a client's mistake as a fault of the server; recursive code overflows the stack on deep JSON.
import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { exceedsDepth, MAX_JSON_DEPTH } from '../event/json-depth.ts';

const FORM = 'application/x-www-form-urlencoded';

export function useRequestParams(): Plugin {
  const checkVariables = ({ args }: { args: { variableValues?: unknown } }) =>
    checkDepth('variables', args.variableValues);
  return {
    onRequestParse: ({ request, url, setRequestParser }) => {
      if (request.method === 'GET') setRequestParser(() => paramsOfForm(url.searchParams));
      else if (request.method === 'POST' && isForm(request)) {
        setRequestParser(async () => paramsOfForm(new URLSearchParams(await request.text())));
      }
    },
    onParams: ({ params: { operationName, variables, extensions } }) => {
      if (!isAbsent(operationName) && typeof operationName !== 'string') {
        throw badRequest(`operationName: expected a string, got ${typeOf(operationName)}`);
      }
      checkDepth('variables', variables);
      checkDepth('extensions', extensions);
    },
    // Single connection mode parses requests itself.
    onExecute: checkVariables,
    onSubscribe: checkVariables,
  };
}

function isForm(request: Request): boolean {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(/[;,]/);
  return type.trim().toLowerCase() === FORM;
}

function paramsOfForm(form: URLSearchParams): GraphQLParams {
  const text = (name: string) => form.get(name) || undefined;
  return {
    query: text('query'),
    operationName: text('operationName'),
    variables: parsed('variables', text('variables')),
    extensions: parsed('extensions', text('extensions')),
  };
}

function parsed(name: string, text: string | undefined) {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    throw badRequest(`${name}: expected JSON`);
  }
}

function checkDepth(name: string, value: unknown): void {
  if (!exceedsDepth(value, MAX_JSON_DEPTH)) return;
  throw badRequest(`${name}: expected JSON of up to ${MAX_JSON_DEPTH} levels`);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}
