// The measures of all repetitions, and their medians.
import { median } from './statistics.ts';

export type Measures = Readonly<Record<string, number>>;

/** Our name if several of our streams are measured; the rows are about GraphQL. */
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

  /** A measure in each repetition, in order; empty if it was not measured. */
  samples(scenario: string, subject: string, measure: string): number[] {
    const all = this.#samples.get(scenario)?.get(subject) ?? [];
    return all.map((measures) => measures[measure]).filter((value) => value !== undefined);
  }

  /** The median of a measure; undefined if it was not measured. */
  median(scenario: string, subject: string, measure: string): number | undefined {
    const values = this.samples(scenario, subject, measure);
    return values.length > 0 ? median(values) : undefined;
  }

  /** The sum of a measure over all scenarios, for faults such as lost events. */
  total(subject: string, measure: string): number {
    let total = 0;
    for (const subjects of this.#samples.values()) {
      for (const measures of subjects.get(subject) ?? []) total += measures[measure] ?? 0;
    }
    return total;
  }
}
