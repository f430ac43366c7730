// An interpreter of Python that has Temporal's SDK, for suites of examples in Python.
import { describe } from 'vitest';
import { findPart, TEMPORAL_PYTHON } from '../../scripts/test-services.ts';

/** The path of the interpreter; undefined if the SDK is not installed. */
export const TEMPORAL_PYTHON_PATH = findPart(TEMPORAL_PYTHON);

/** `describe` for suites that need it; skipped if it is not installed. */
export const describeTemporalPython = describe.skipIf(TEMPORAL_PYTHON_PATH === undefined);
