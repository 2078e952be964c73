/** How the app is built: into the Python package, hashed, without a line of inline script (the CSP forbids it). */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../infra/local/screens_built',
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    // Fonts of Cloudscape stay files of their own: `font-src data:` is needed for nothing else.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
  },
});
