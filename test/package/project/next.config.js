/** @type {import('next').NextConfig} */
export default {
  // The tests link packages of other folders, and Turbopack loads no file outside of its root.
  turbopack: { root: '/' },
};
