import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The tracker to which `npm run dev` passes on what the page asks.
const tracker = process.env.TICKWHEEL_HTTP ?? 'http://127.0.0.1:7480';

const proxy = {
  '/api': {
    target: tracker,
    changeOrigin: true,
    // The tracker compares the origin with the name it is asked by.
    configure: (proxy: {
      on: (event: 'proxyReq', act: (request: { setHeader: (k: string, v: string) => void }) => void) => void;
    }) => proxy.on('proxyReq', (request) => request.setHeader('origin', tracker)),
  },
};

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    // Nothing is written into another file: the policy of the page allows files of its own origin alone.
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        manualChunks: (id: string) => {
          if (/node_modules\/(react|react-dom|scheduler)\//.test(id)) return 'react';
          return undefined;
        },
      },
    },
  },
  server: { proxy },
  preview: { proxy },
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node' },
});
