import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv } from 'vite'

/** What the server answers itself; everything else is a page of the console. */
const serverPaths = ['/api', '/auth', '/health', '/openapi.json', '/docs', '/v1']

export default defineConfig(({ mode }) => {
  const settings = loadEnv(mode, '..', 'KYROS_')
  const target = `http://127.0.0.1:${settings.KYROS_SERVER_PORT ?? '8000'}`
  return {
    plugins: [react()],
    css: { preprocessorOptions: { scss: { quietDeps: true } } },
    server: {
      host: '127.0.0.1',
      // The origin stays the console's own, as the server's origin check asks for.
      proxy: Object.fromEntries(serverPaths.map((path) => [path, { target, changeOrigin: false }])),
    },
    build: {
      target: 'es2023',
      sourcemap: false,
      // The strict content security policy allows no data: fonts and no inline scripts.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        // The contract's schemas are built by calls that have no effect; the console needs their types alone.
        treeshake: { manualPureFunctions: ['Type', 'routes', 'page'] },
      },
    },
  }
})
