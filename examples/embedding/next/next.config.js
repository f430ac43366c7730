/** @type {import('next').NextConfig} */
export default {
  // Loaded by Node, and not bundled: it has worker threads and native dependencies.
  serverExternalPackages: ['execstream'],
  // `/streams/` is the console.
  skipTrailingSlashRedirect: true,
};
