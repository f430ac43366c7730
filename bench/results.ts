// What was measured in all repetitions, and the medians of it.
import { median } from './statistics.ts';

export type Measures = Readonly<Record<string, number>>;

/** What we are called where several streams of ours are measured: the tables' rows are about GraphQL. */
export const OURS = 'execstream';

export class Results {
  readonly #samples = new Map<string, Map<string, Measures[]>>();

  add(scenario: string, subject: string, measures: Measures): void {
    const subjects = this.#samples.get(scenario) ?? new Map<string, Measures[]>();
    this.#samples.set(scenario, subjects);
    subjects.set(subject, [...(subjects.get(subject) ?? []), measures]);
  }

  /** In the order in which they were first measured. */
  get scenarios(): string[] {
    return [...this.#samples.keys()];
  }

  subjects(scenario: string): string[] {
    return [...(this.#samples.get(scenario)?.keys() ?? [])];
  }

  /** A measure in each repetition, in their order; none where it was not measured. */
  samples(scenario: string, subject: string, measure: string): number[] {
    const all = this.#samples.get(scenario)?.get(subject) ?? [];
    return all.map((measures) => measures[measure]).filter((value) => value !== undefined);
  }

  /** The median of a measure; undefined where it was not measured. */
  median(scenario: string, subject: string, measure: string): number | undefined {
    const values = this.samples(scenario, subject, measure);
    return values.length > 0 ? median(values) : undefined;
  }

  /** The sum of a measure over all scenarios: of what must not happen even once. */
  total(subject: string, measure: string): number {
    let total = 0;
    for (const subjects of this.#samples.values()) {
      for (const measures of subjects.get(subject) ?? []) total += measures[measure] ?? 0;
    }
    return total;
  }
}
