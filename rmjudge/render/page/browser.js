// The list of tuples: data, filters, order, pages. `tuple.js` shows one of them.
// Texts reach the page through textContent alone: the content policy allows nothing else.

const STYLES = ["concise", "detailed", "markdown"];
const CELLS = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const PAGE = 50;
const SNIPPET = 160;
const HEAT_STEPS = 20;
const TIE = 0.5;

const byId = (id) => document.getElementById(id);
const index = JSON.parse(byId("index").textContent);
const rowOf = (cell) => Math.floor(cell / 3);
const columnOf = (cell) => cell % 3;

function difficultyOf(cell) {
  if (rowOf(cell) > columnOf(cell)) return "easy";
  return rowOf(cell) === columnOf(cell) ? "normal" : "hard";
}

const CELLS_OF = { "": CELLS };
for (const name of ["easy", "normal", "hard"]) {
  CELLS_OF[name] = CELLS.filter((cell) => difficultyOf(cell) === name);
}

// An element with attributes and children; texts become text nodes.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

// Gzip in base64, as `embedding.packed` writes it; null where the page has none.
async function unpack(id) {
  const packed = byId(id).textContent;
  if (!packed) return null;
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser is too old to unpack the texts; any of 2023 or later can");
  }
  const binary = atob(packed);
  const bytes = new Uint8Array(binary.length);
  for (let k = 0; k < binary.length; k += 1) bytes[k] = binary.charCodeAt(k);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

let texts = null;
const unpackedWords = new Map();
const nameOf = (tuple) => `${tuple.d}/${tuple.i}`;

// The seven texts of a tuple (prompt, three chosen, three rejected), or null.
function textsOf(number) {
  const places = texts && texts.tuples[number];
  return places ? places.map((place) => texts.texts[place]) : null;
}

// Texts and statements of the tuples around this one: unpacked together, when one is opened.
async function wordsAround(number) {
  const chunk = Math.floor(number / Number(byId("tuple").dataset.chunk));
  if (!unpackedWords.has(chunk)) unpackedWords.set(chunk, unpack(`words-${chunk}`));
  return unpackedWords.get(chunk);
}

// What would be obeyed or not be seen is shown by its number; joiners and line breaks stay.
const UNSEEN = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

function searched() {
  return byId("query").value.toLowerCase().split(/\s+/u).filter(Boolean);
}

// Put a text into an element: control characters visible, the words searched for marked.
function write(element, text, sought = searched()) {
  const escaped = sought.map((word) => word.replace(/[.*+?^${}()|[\]\\\/]/gu, "\\$&"));
  const found = escaped.length ? new RegExp(escaped.join("|"), "giu") : null;
  const unseen = new RegExp(UNSEEN);
  const plain = text.replaceAll("\r\n", "\n");
  const marks = [];
  for (const match of plain.matchAll(unseen)) marks.push([match.index, match[0], "unseen"]);
  if (found) for (const match of plain.matchAll(found)) marks.push([match.index, match[0], "hit"]);
  marks.sort((one, other) => one[0] - other[0]);
  const parts = [];
  let end = 0;
  for (const [start, piece, kind] of marks) {
    if (start < end) continue;
    parts.push(plain.slice(end, start));
    const code = piece.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    parts.push(kind === "hit" ? make("mark", {}, piece) : make("span", { class: "unseen" }, `U+${code}`));
    end = start + piece.length;
  }
  element.replaceChildren(...parts, plain.slice(end));
  return element;
}

// What a filter asks of the cells of one scorer, or of several together.

const PREDICATES = {
  wrong: (credits, cells) => cells.some((cell) => credits[cell] !== null && credits[cell] < TIE),
  tie: (credits, cells) => cells.some((cell) => credits[cell] === TIE),
  unscored: (credits, cells) => cells.some((cell) => credits[cell] === null),
};

function disagree(outcomes, cells, scorer) {
  return cells.some((cell) => {
    const signs = outcomes.map((outcome) => {
      const credit = outcome ? outcome.c[cell] : null;
      return credit === null ? 0 : Math.sign(credit - TIE);
    });
    const all = new Set(signs);
    return scorer === null ? all.has(1) && all.has(-1) : signs[scorer] !== 0 && all.has(-signs[scorer]);
  });
}

function matches(tuple, filter) {
  if (filter.domain && tuple.d !== filter.domain) return false;
  const cells = CELLS_OF[filter.difficulty];
  const asked = filter.scorer === null ? tuple.o : [tuple.o[filter.scorer]];
  const seen = asked.filter(Boolean);
  if (filter.scorer !== null && !seen.length) return false;
  switch (filter.state) {
    case "":
      return true;
    case "disagree":
      return disagree(tuple.o, cells, filter.scorer);
    case "right":
      return seen.length > 0 && seen.every((outcome) => cells.every((cell) => outcome.c[cell] > TIE));
    default:
      return seen.some((outcome) => PREDICATES[filter.state](outcome.c, cells));
  }
}

// Mean credit that a tuple lost in these cells; what was not scored is left out.
function lost(tuple, filter) {
  const asked = filter.scorer === null ? tuple.o : [tuple.o[filter.scorer]];
  let sum = 0;
  let count = 0;
  for (const outcome of asked) {
    for (const cell of outcome ? CELLS_OF[filter.difficulty] : []) {
      if (outcome.c[cell] === null) continue;
      sum += 1 - outcome.c[cell];
      count += 1;
    }
  }
  return count ? sum / count : -1;
}

// How far the scorers are apart: mean over the cells of the widest gap between two credits.
function apart(tuple, filter) {
  let sum = 0;
  for (const cell of CELLS_OF[filter.difficulty]) {
    const credits = tuple.o.filter((outcome) => outcome && outcome.c[cell] !== null).map((o) => o.c[cell]);
    if (credits.length > 1) sum += Math.max(...credits) - Math.min(...credits);
  }
  return sum;
}

const ORDERS = { worst: lost, apart };
let haystacks = null;

// What is searched, in small letters: made once, when the first word is typed.
function haystackOf(number) {
  if (haystacks === null) {
    haystacks = index.tuples.map((tuple, place) =>
      [nameOf(tuple), tuple.s ?? "", ...(textsOf(place) ?? [])].join("\n").toLowerCase()
    );
  }
  return haystacks[number];
}

function currentFilter() {
  const scorer = byId("scorer").value;
  return {
    domain: byId("domain").value,
    difficulty: byId("difficulty").value,
    state: byId("state").value,
    scorer: scorer === "" ? null : Number(scorer),
    order: byId("order").value,
    sought: searched(),
  };
}

// Numbers of the tuples that pass, in the order asked for.
function select(filter) {
  const found = [];
  index.tuples.forEach((tuple, number) => {
    if (!matches(tuple, filter)) return;
    if (filter.sought.length && !filter.sought.every((word) => haystackOf(number).includes(word))) return;
    found.push(number);
  });
  const measure = ORDERS[filter.order];
  if (!measure) return found;
  const measured = new Map(found.map((number) => [number, measure(index.tuples[number], filter)]));
  return found.sort((one, other) => measured.get(other) - measured.get(one) || one - other);
}

let selection = [];
let page = 0;

function heatClass(credit) {
  return credit === null ? "none" : `h${Math.round(credit * HEAT_STEPS)}`;
}

const SVG = "http://www.w3.org/2000/svg";

// Nine small squares: a scorer's outcome at a glance.
function miniature(outcome, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 31 31");
  svg.setAttribute("class", "mini");
  svg.setAttribute("role", "img");
  const credits = outcome ? outcome.c : CELLS.map(() => null);
  const won = credits.filter((credit) => credit > TIE).length;
  svg.setAttribute("aria-label", outcome ? `${name}: ${won} of 9 right` : `${name}: not in its run`);
  const title = document.createElementNS(SVG, "title");
  title.textContent = svg.getAttribute("aria-label");
  svg.append(title);
  for (const cell of CELLS) {
    const square = document.createElementNS(SVG, "rect");
    square.setAttribute("x", String(1 + 10 * columnOf(cell)));
    square.setAttribute("y", String(1 + 10 * rowOf(cell)));
    square.setAttribute("width", "9");
    square.setAttribute("height", "9");
    square.setAttribute("class", heatClass(credits[cell]));
    svg.append(square);
  }
  return svg;
}

// A letter, or a number after 26 of them, as the line above the list names it.
function signOfScorer(place) {
  return index.scorers.length > 26 ? String(place + 1) : String.fromCharCode(65 + place);
}

function shortened(text) {
  const line = text.slice(0, 4 * SNIPPET).trim().replaceAll(/\s+/gu, " ");
  return line.length > SNIPPET ? `${line.slice(0, SNIPPET).trimEnd()}\u2026` : line;
}

// The address of a tuple: its name, unless two data sets have it, and the filters that are set.
const FIELDS = ["query", "domain", "difficulty", "state", "scorer", "order"];
const numberOf = new Map();
const twice = new Set();
index.tuples.forEach((tuple, number) => {
  if (numberOf.has(nameOf(tuple))) twice.add(nameOf(tuple));
  else numberOf.set(nameOf(tuple), number);
});

function addressOf(number) {
  const set = new URLSearchParams();
  if (number !== null) {
    const name = nameOf(index.tuples[number]);
    set.set("tuple", twice.has(name) ? String(number) : name);
  }
  for (const field of FIELDS) if (byId(field).value) set.set(field, byId(field).value);
  return `#${set.toString().replaceAll("%2F", "/") || "tuples"}`;
}

// The tuple that an address names, or null: by `#tuple=chat/17`, or by its place as `#tuple-17`.
function addressed(hash) {
  const place = /^#tuple-(\d+)$/u.exec(hash);
  const named = new URLSearchParams(hash.slice(1)).get("tuple");
  if (named !== null && numberOf.has(named) && !twice.has(named)) return numberOf.get(named);
  const number = place ? place[1] : /^\d+$/u.test(named ?? "") ? named : null;
  return number !== null && Number(number) < index.tuples.length ? Number(number) : null;
}

// Set the filters to those of an address that has any.
function takeFilters(hash) {
  const set = new URLSearchParams(hash.slice(1));
  if (![...set.keys()].some((key) => key === "tuple" || FIELDS.includes(key))) return;
  for (const field of FIELDS) {
    const wanted = set.get(field) ?? "";
    byId(field).value = wanted;
    if (byId(field).value !== wanted) byId(field).value = ""; // no such choice
  }
}

function lineOf(number, sought) {
  const tuple = index.tuples[number];
  const own = textsOf(number);
  const name = make("span", { class: "id" }, write(make("b"), nameOf(tuple), sought));
  if (tuple.s && tuple.s !== tuple.d) name.append(" ", write(make("small"), tuple.s, []));
  const snippet = make("span", { class: "snippet" });
  if (own) write(snippet, shortened(own[0]), sought);
  const grids = make("span", { class: "minis" });
  tuple.o.forEach((outcome, place) => {
    const grid = make("span", { class: "grid" }, miniature(outcome, index.scorers[place]));
    if (tuple.o.length > 1) grid.append(make("small", { "aria-hidden": true }, signOfScorer(place)));
    grids.append(grid);
  });
  const link = make("a", { href: addressOf(number) }, name, snippet, grids);
  return make("li", {}, link);
}

function count(number) {
  return number.toLocaleString("en");
}

function showPage(turned) {
  const sought = searched();
  const start = page * PAGE;
  const shown = selection.slice(start, start + PAGE);
  byId("list").replaceChildren(...shown.map((number) => lineOf(number, sought)));
  const range = shown.length ? `, ${count(start + 1)} to ${count(start + shown.length)} shown` : "";
  const none = shown.length ? "" : ": nothing matches these filters; Clear shows all";
  byId("count").textContent = `${count(selection.length)} of ${count(index.tuples.length)} tuples${range}${none}`;
  const last = Math.max(0, Math.ceil(selection.length / PAGE) - 1);
  const turn = (text, to) => {
    const button = make("button", { type: "button", disabled: to < 0 || to > last }, text);
    button.addEventListener("click", () => {
      page = to;
      showPage(true);
    });
    return button;
  };
  const place = `page ${count(page + 1)} of ${count(last + 1)}`;
  byId("pages").replaceChildren(
    ...(last ? [turn("Previous", page - 1), make("span", {}, place), turn("Next", page + 1)] : [])
  );
  if (turned) byId("filters").scrollIntoView();
}

function refresh() {
  selection = select(currentFilter());
  page = 0;
  showPage(false);
}
