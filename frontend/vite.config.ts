import { svelte } from '@sveltejs/vite-plugin-svelte';
import { env } from 'node:process';
import { defineConfig } from 'vitest/config';

const server = env['KANOSCOPE_SERVER'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [svelte()],
  base: '/',
  build: {
    outDir: '../server/static',
    emptyOutDir: true,
    target: 'es2022',
    // Plotly is one large file by nature and loads on demand
    chunkSizeWarningLimit: 2000,
  },
  server: {
    // the server refuses pages of another origin, so it must see the address that the browser sees
    proxy: { '/api': { target: server }, '/ws': { target: server, ws: true } },
  },
  test: { include: ['src/**/*.test.ts'] },
});
