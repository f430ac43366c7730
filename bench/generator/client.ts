// The benchmark's side of the generator's process.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onCore } from '../cores.ts';
import type { Answer, GeneratorCalls } from './main.ts';
import type { Measured } from './turn.ts';

interface Results {
  measure: Measured;
  stopReading: number;
}

type Result<Name> = Name extends keyof Results ? Results[Name] : undefined;

export interface Generator {
  ask<Name extends keyof GeneratorCalls>(name: Name, given: GeneratorCalls[Name]): Promise<Result<Name>>;
  close(): Promise<void>;
}

/** Starts the generator beside the servers, on the core that is not theirs. */
export function startGenerator(): Generator {
  const entry = fileURLToPath(new URL('main.ts', import.meta.url));
  const [command, ...args] = onCore('generator', [process.execPath, '--import', 'tsx', entry]);
  const child = spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return new Asked(child);
}

interface Waiting {
  /** Of whom, and what. */
  readonly asked: string;
  resolve(result: never): void;
  reject(error: Error): void;
}

class Asked implements Generator {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #isGone = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer: Answer) => this.#onAnswer(answer));
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#isGone = true;
        for (const { reject } of this.#waiting.values())
          reject(new Error(`the generator ended: ${signal ?? code}`));
        resolve();
      });
    });
  }

  ask<Name extends keyof GeneratorCalls>(name: Name, given: GeneratorCalls[Name]): Promise<Result<Name>> {
    if (this.#isGone) return Promise.reject(new Error('the generator has ended'));
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { asked: `${given.server}, ${name}`, resolve, reject });
      this.#child.send({ id, name, given });
    });
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }

  #onAnswer(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(`${waiting.asked}: ${answer.error}`));
    else waiting?.resolve(answer.result as never);
  }
}
