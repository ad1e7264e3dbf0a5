// Builds everything the pages load: style sheet, scripts, icons, licences. The output is committed, so a
// running portal never needs Node. `npm ci && npm run build`; the result depends on the lock file only.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, "..", "portal", "web", "static", "dist");
const publicPath = "/static/dist/";
const target = ["chrome111", "firefox113", "safari16.4"];

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

const shared = { bundle: true, minify: true, legalComments: "none", target, outdir: dist, write: true, metafile: true };

const pages = await build({
  ...shared,
  entryPoints: ["app.css", "app.js", "chart.js", "grid.js", "mini.js", "receipt.js", "scan.js"].map((file) =>
    path.join(here, "src", path.extname(file).slice(1), file)),
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  format: "esm",
  splitting: true,
  publicPath,
  loader: { ".wasm": "file", ".svg": "dataurl" },
});

const manifest = {};
for (const [file, made] of Object.entries(pages.metafile.outputs)) {
  if (made.entryPoint) manifest[path.basename(made.entryPoint)] = path.basename(file);
}

// The worker is served at /sw.js, so its name carries no hash. It keeps the shell: everything small.
const version = createHash("sha256").update(JSON.stringify(manifest)).digest("hex").slice(0, 12);
const shell = [...new Set(["app.css", "app.js", "receipt.js"].flatMap(withImports))].sort();
await build({
  ...shared,
  entryPoints: [path.join(here, "src", "js", "sw.js")],
  format: "iife",
  define: { VERSION: JSON.stringify(version), SHELL: JSON.stringify(shell), STATIC: JSON.stringify(publicPath) },
});
manifest["sw.js"] = "sw.js";

await writeFile(path.join(dist, "manifest.json"), JSON.stringify(sorted(manifest), null, 1) + "\n");
await writeFile(path.join(dist, "icons.json"), JSON.stringify(await icons(), null, 1) + "\n");
await writeFile(path.join(dist, "licences.txt"), await licences());

for (const name of await readdir(dist)) {
  if (!/\.(css|js|wasm)$/.test(name)) continue;
  const file = path.join(dist, name);
  const text = await readFile(file);
  await writeFile(file + ".gz", gzipSync(text, { level: 9 }));
  await writeFile(file + ".br", brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  const packed = gzipSync(text, { level: 9 }).length;
  console.log(`${name.padEnd(34)} ${String(text.length).padStart(8)} B  gzip ${String(packed).padStart(7)} B`);
}

/** The drawing of every icon named in icons.txt, without its frame: portal/web/assets.py adds that. */
async function icons() {
  const list = (await readFile(path.join(here, "icons.txt"), "utf8")).split("\n").map((line) => line.trim());
  const drawn = {};
  for (const line of list.filter((line) => line && !line.startsWith("#"))) {
    const [ours, theirs = ours] = line.split(" = ");
    const svg = await readFile(path.join(here, "node_modules/@tabler/icons/icons/outline", `${theirs}.svg`), "utf8");
    drawn[ours] = [...svg.matchAll(/<path[^>]*?\/>/g)]
      .map(([tag]) => tag)
      .filter((tag) => !tag.includes('stroke="none"'))
      .map((tag) => tag.replace(/\s+/g, " ").replace(" />", "/>"))
      .join("");
  }
  return sorted(drawn);
}

async function licences() {
  const parts = [];
  for (const name of ["@tabler/icons", "barcode-detector", "htmx.org", "idb-keyval", "uplot", "zxing-wasm"]) {
    const folder = path.join(here, "node_modules", name);
    const about = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(path.join(folder, file), "utf8") : `Licence: ${about.license}\n`;
    parts.push(`${name} ${about.version} (${about.license})\n\n${text.trim()}\n`);
  }
  return parts.join("\n" + "-".repeat(80) + "\n\n");
}

/** A built file and everything it imports, as addresses. */
function withImports(name) {
  const follow = (file) => [file, ...pages.metafile.outputs[file].imports.flatMap((next) =>
    next.path in pages.metafile.outputs ? follow(next.path) : [])];
  const made = Object.keys(pages.metafile.outputs).find((file) => path.basename(file) === manifest[name]);
  return follow(made).map((file) => publicPath + path.basename(file));
}

function sorted(object) {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
