// The workflows before execstream was added to them.
import { order, type RunChild } from './body.ts';

const direct: RunChild = (_, run) => run();

export const wrapped = () => order(direct);
export const manual = () => order(direct);
export const drawing = () => order(direct);
export const delaying = () => order(direct);
export async function leaf(): Promise<void> {}
