/** How the app is built: into the Python package, hashed, without a line of inline script (the CSP forbids it). */
import react from '@vitejs/plugin-react';
import { defineConfig, type HtmlTagDescriptor, type Plugin } from 'vite';

/** The page itself names the code of the app: the browser reads it beside the first script, which then asks for it. */
function appAhead(): Plugin {
  return {
    name: 'app-ahead',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const chunks = Object.values(bundle ?? {}).filter((one) => one.type === 'chunk');
        const app = chunks.find(({ name }) => name === 'app');
        if (!app) return [];
        const wanted = chunks.filter(({ fileName }) => !html.includes(fileName) && (fileName === app.fileName || app.imports.includes(fileName)));
        return wanted.map(({ fileName }): HtmlTagDescriptor => ({ tag: 'link', attrs: { rel: 'modulepreload', crossorigin: true, href: `/${fileName}` }, injectTo: 'head' }));
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), appAhead()],
  build: {
    outDir: '../infra/local/screens_built',
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    // Fonts of Cloudscape stay files of their own: `font-src data:` is needed for nothing else.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      output: {
        // With all that each imports: files of a few hundred bytes would cost a question each.
        codeSplitting: {
          groups: [
            { name: 'first', test: /src\/main\.tsx$/, priority: 2 },
            { name: 'app', test: /src\/app\.tsx$/, priority: 1 },
            { name: 'names', test: /src\/(people|work|time\/TimeText)/ },
            { name: 'lists', test: /src\/resource\/(ResourceScreen|FiguresTable|ScreenTabs)\.tsx$/ },
          ],
        },
      },
    },
  },
});
