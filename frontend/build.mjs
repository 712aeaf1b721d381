// Cuts the letter families down to what we write with and puts them, their style sheet and their licences
// in the folder named on the command line. No network, no compiler: the cutter is HarfBuzz as WebAssembly.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { families } from "./src/families.mjs";

const require = createRequire(import.meta.url);
const subset = require("subset-font");
const fontverter = require("fontverter");

/** Every old name in the font's own name table becomes the new one; both have the same length. */
function renamed(font, names) {
  for (const [old, fresh] of Object.entries(names)) {
    if (old.length !== fresh.length) throw new Error(`${fresh} must be as long as ${old}`);
    const sought = Buffer.from(old, "utf16le").swap16();
    const written = Buffer.from(fresh, "utf16le").swap16();
    let place = font.indexOf(sought);
    if (place < 0) throw new Error(`the font does not name itself ${old}`);
    for (; place >= 0; place = font.indexOf(sought, place + 1)) written.copy(font, place);
  }
  return font;
}

/** The copyright line that the font carries (name 0 of its name table). */
function copyright(font) {
  for (let table = 12; table < 12 + 16 * font.readUInt16BE(4); table += 16) {
    if (font.toString("latin1", table, table + 4) !== "name") continue;
    const start = font.readUInt32BE(table + 8);
    const texts = start + font.readUInt16BE(start + 4);
    for (let entry = start + 6; entry < start + 6 + 12 * font.readUInt16BE(start + 2); entry += 12) {
      if (font.readUInt16BE(entry) !== 3 || font.readUInt16BE(entry + 6) !== 0) continue;
      const first = texts + font.readUInt16BE(entry + 10);
      const text = Buffer.from(font.subarray(first, first + font.readUInt16BE(entry + 8)));
      return text.swap16().toString("utf16le");
    }
  }
  throw new Error("the font has no copyright line");
}

const out = process.argv[2];
if (!out) throw new Error("say where to: node build.mjs FOLDER");
await mkdir(join(out, "licences"), { recursive: true });

const faces = [];
for (const family of families) {
  const parcel = dirname(require.resolve(`${family.parcel}/package.json`));
  const whole = await readFile(join(parcel, family.from));
  const cut = await subset(whole, family.letters, {
    targetFormat: "truetype",
    variationAxes: { wght: family.weight },
    keepFeatures: family.features,
    noHinting: true,
  });
  const font = await fontverter.convert(renamed(cut, family.rename), "woff2");
  if (font.length > family.limit) {
    throw new Error(`${family.file}.woff2 is ${font.length} bytes, more than its budget of ${family.limit}`);
  }
  await writeFile(join(out, `${family.file}.woff2`), font);

  const { name, version } = JSON.parse(await readFile(join(parcel, "package.json"), "utf8"));
  const licence = await readFile(join(parcel, "LICENSE"), "utf8");
  await writeFile(
    join(out, "licences", `${family.file}.txt`),
    `${family.file}.woff2 is a cut copy of ${family.from} of ${name} ${version}.\n\n` +
      `${copyright(cut)}\n\n${licence.trim()}\n`,
  );
  faces.push(
    `@font-face { font-family: "${family.family}"; src: url(${family.file}.woff2) format("woff2"); ` +
      `font-weight: ${family.weight.min} ${family.weight.max}; font-display: swap;` +
      (family.range ? ` unicode-range: ${family.range};` : "") +
      (family.adjust ? ` size-adjust: ${family.adjust};` : "") +
      " }",
  );
}
await writeFile(join(out, "fonts.css"), faces.join("\n") + "\n");
