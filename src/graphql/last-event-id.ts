// The cursor that a browser's EventSource sends when it reconnects.

/** The `Last-Event-ID` header; undefined if it is absent or empty. */
export function lastEventIdOf(request: Request): string | undefined {
  return request.headers.get('last-event-id') || undefined;
}
