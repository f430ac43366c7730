// The cursor that a browser's EventSource sends when it comes back.

/** The `Last-Event-ID` header; an empty one counts as none. */
export function lastEventIdOf(request: Request): string | undefined {
  return request.headers.get('last-event-id') || undefined;
}
