// The entry of a page.
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createPage } from './execution-page.js';

createRoot(document.querySelector('#root')).render(createElement(createPage('/')));
