// How often a property is tried. Mutation tests repeat a property for hundreds of mutants, so they run a share of it.
const SHARE = Number(process.env.PROPERTY_SHARE ?? 1);

/** The runs of a property that normally has `count`. */
export function propertyRuns(count: number): number {
  return Math.ceil(count * SHARE);
}
