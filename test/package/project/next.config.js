/** @type {import('next').NextConfig} */
export default {
  // The tests link packages from other folders, and Turbopack loads only what is below its root.
  turbopack: { root: '/' },
};
