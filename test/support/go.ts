// The Go toolchain, for suites of programs in Go.
import { describe } from 'vitest';
import { findPart, GO } from '../../scripts/test-services.ts';

/** The path of the `go` command; undefined if it is not installed. */
export const GO_PATH = findPart(GO);

/** `describe` for suites that need it; skipped if it is not installed. */
export const describeGo = describe.skipIf(GO_PATH === undefined);
