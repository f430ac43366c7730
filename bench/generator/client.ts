// The benchmark's interface to the generator process.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onCore } from '../cores.ts';
import type { CallResponse, GeneratorCalls } from './main.ts';
import type { Measured } from './turn.ts';

interface Results {
  measure: Measured;
  stopReading: number;
}

type Result<Name> = Name extends keyof Results ? Results[Name] : undefined;

export interface Generator {
  call<Name extends keyof GeneratorCalls>(name: Name, args: GeneratorCalls[Name]): Promise<Result<Name>>;
  close(): Promise<void>;
}

/** Starts the generator on the core that the servers do not use. */
export function startGenerator(): Generator {
  const entry = fileURLToPath(new URL('main.ts', import.meta.url));
  const [command, ...args] = onCore('generator', [process.execPath, '--import', 'tsx', entry]);
  const child = spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return new IpcGenerator(child);
}

interface PendingCall {
  /** The server and the call, for error messages. */
  readonly label: string;
  resolve(result: never): void;
  reject(error: Error): void;
}

class IpcGenerator implements Generator {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #pending = new Map<number, PendingCall>();
  #calls = 0;
  #hasExited = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (response: CallResponse) => this.#onResponse(response));
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#hasExited = true;
        for (const { reject } of this.#pending.values())
          reject(new Error(`the generator exited: ${signal ?? code}`));
        resolve();
      });
    });
  }

  call<Name extends keyof GeneratorCalls>(name: Name, args: GeneratorCalls[Name]): Promise<Result<Name>> {
    if (this.#hasExited) return Promise.reject(new Error('the generator has exited'));
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { label: `${args.server}, ${name}`, resolve, reject });
      this.#child.send({ id, name, args });
    });
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }

  #onResponse(response: CallResponse): void {
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if ('error' in response) pending?.reject(new Error(`${pending.label}: ${response.error}`));
    else pending?.resolve(response.result as never);
  }
}
