// The parts of a browser page that the client observes.
type Event_ = 'visible' | 'hidden' | 'resume' | 'pageshow' | 'pagehide' | 'online';

export interface TestPage extends Disposable {
  fire(event: Event_): void;
  /** The number of listeners that are registered. */
  readonly listeners: number;
}

/** Defines `document` and the window's listeners until it is disposed. */
export function pageForTest(): TestPage {
  let listeners = 0;
  const count = (target: EventTarget) => ({
    addEventListener: (type: string, listener: () => void) => {
      listeners += 1;
      target.addEventListener(type, listener);
    },
    removeEventListener: (type: string, listener: () => void) => {
      listeners -= 1;
      target.removeEventListener(type, listener);
    },
  });
  const [windowTarget, documentTarget] = [new EventTarget(), new EventTarget()];
  const document = { visibilityState: 'visible', ...count(documentTarget) };
  const defined = { document, ...count(windowTarget) };
  Object.assign(globalThis, defined);
  return {
    get listeners() {
      return listeners;
    },
    fire(event) {
      if (event === 'visible' || event === 'hidden') {
        document.visibilityState = event;
        documentTarget.dispatchEvent(new Event('visibilitychange'));
      } else (event === 'resume' ? documentTarget : windowTarget).dispatchEvent(new Event(event));
    },
    [Symbol.dispose]() {
      for (const name of Object.keys(defined)) Reflect.deleteProperty(globalThis, name);
    },
  };
}
