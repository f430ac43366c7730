// Events of a browser page after which a connection may be dead, or is not needed. Other runtimes have none of them.

type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

export interface PageObserver {
  /** The page is visible again, was restored or resumed, or has a network again. */
  onWake(): void;
  /** The page is hidden, and may be frozen or discarded without a further event. */
  onHide(): void;
}

/** Whether there is a page, and it is hidden. */
export function isPageHidden(): boolean {
  return documentOf()?.visibilityState === 'hidden';
}

/** Observes the page. Returns a function that ends it. */
export function observePage({ onWake, onHide }: PageObserver): () => void {
  const window = globalThis as unknown as Target;
  const document = documentOf();
  const onVisibility = () => (isPageHidden() ? onHide() : onWake());
  const events: readonly (readonly [Target | undefined, string, () => void])[] = [
    [document, 'visibilitychange', onVisibility],
    [document, 'resume', onWake],
    [window, 'pageshow', onWake],
    [window, 'pagehide', onHide],
    [window, 'online', onWake],
  ];
  const call = (method: keyof Target) => {
    for (const [target, type, listener] of events) target?.[method]?.(type, listener);
  };
  call('addEventListener');
  return () => call('removeEventListener');
}

/** Read for each call: tests, and libraries that imitate a browser, define it late. */
function documentOf() {
  return (globalThis as { document?: Target & { readonly visibilityState: string } }).document;
}
