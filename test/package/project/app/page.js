'use client';
import { createPage } from '../execution-page.js';

export default createPage(process.env.NEXT_PUBLIC_STREAMS_URL);
