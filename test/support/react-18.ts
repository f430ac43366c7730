// React 18 for suites.
//
//   describe.skipIf(!REACT_18_FOLDER)('with React 18', () => {
//     bundle({ alias: { react: join(REACT_18_FOLDER!, 'react') } });
import { join } from 'node:path';
import { findPart, REACT_18 } from '../../scripts/test-services.ts';

const folder = findPart(REACT_18);

/** The folder with `react` and `react-dom`; undefined if they are not installed. */
export const REACT_18_FOLDER = folder && join(folder, 'node_modules');
