import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv, type Plugin } from 'vite'

/** What the server answers itself; everything else is a page of the console. */
const serverPaths = ['/api', '/auth', '/health', '/openapi.json', '/docs', '/v1']

export default defineConfig(({ mode }) => {
  const settings = loadEnv(mode, '..', 'KYROS_')
  const target = `http://127.0.0.1:${settings.KYROS_SERVER_PORT ?? '8000'}`
  return {
    plugins: [react(), compressed()],
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

const compressible = /\.(?:js|css|svg|html)$/
/** Below this a compressed form saves less than its own headers cost. */
const leastBytes = 1_000

/** Lays a `.br` and a `.gz` beside each file, so that the server never compresses while someone waits. */
function compressed(): Plugin {
  return {
    name: 'kyros-compressed',
    apply: 'build',
    writeBundle({ dir = 'dist' }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!compressible.test(name)) continue
        const file = join(dir, name)
        const data = readFileSync(file)
        if (data.length < leastBytes) continue
        writeFileSync(
          `${file}.br`,
          brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
        )
        writeFileSync(`${file}.gz`, gzipSync(data, { level: 9 }))
      }
    },
  }
}
