// The three letter families of Resguardo and what is kept of each (design: published text, used text, digits).
// A letter that is not here is drawn by the reader's own fonts, so nothing is ever unreadable.

const between = (first, last) =>
  String.fromCodePoint(...Array.from({ length: last - first + 1 }, (_, step) => first + step));

/** What Spanish, English, French, Haitian Creole and Portuguese are written with, and our punctuation. */
const letters =
  between(0x20, 0x7e) +
  "ÁÉÍÓÚÜÑÀÈÌÒÙÂÊÎÔÛÄËÏÖÇÃÕÆŒŸáéíóúüñàèìòùâêîôûäëïöçãõæœÿ" +
  "¡¿«»‹›°ºª·×§©®€ " +
  "  ‐‑–—−‘’‚“”„•…";

export const families = [
  {
    file: "serif",
    family: "Resguardo Serif",
    parcel: "@fontsource-variable/source-serif-4",
    from: "files/source-serif-4-latin-wght-normal.woff2",
    letters,
    weight: { min: 400, max: 650 },
    features: ["kern", "liga", "locl", "lnum", "tnum"],
    // "Source" is a reserved name: a cut copy must carry another one (Open Font License 1.1, condition 3).
    // Each new name has as many letters as the old one.
    rename: { "Source Serif 4": "Resguardo Text", SourceSerif4: "ResguardoTxt" },
    limit: 27000,
  },
  {
    file: "sans",
    family: "Atkinson Next",
    parcel: "@fontsource-variable/atkinson-hyperlegible-next",
    from: "files/atkinson-hyperlegible-next-latin-wght-normal.woff2",
    letters,
    weight: { min: 400, max: 700 },
    features: ["kern", "liga", "locl", "lnum", "tnum"],
    rename: {},
    limit: 18000,
  },
  {
    // Atkinson's slashed zero reads as Ø to a new reader: digits come from here, codes keep the slash.
    file: "digits",
    family: "Resguardo Digits",
    parcel: "@fontsource-variable/public-sans",
    from: "files/public-sans-latin-wght-normal.woff2",
    letters: between(0x30, 0x39),
    weight: { min: 400, max: 700 },
    features: ["kern", "lnum", "tnum"],
    range: "U+30-39",
    adjust: "98%",
    rename: {},
    limit: 3000,
  },
];
