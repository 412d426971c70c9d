// One tuple: prompt, six responses side by side, what each scorer made of them and said.

const SIDES = ["chosen", "rejected"];
const signOf = (credit) => (credit > TIE ? "wins" : credit < TIE ? "loses" : "ties");

let open = null; // the tuple that is shown
let chosenCell = 0; // the cell whose pair and words are shown

function figure(value) {
  if (value === null) return "\u2013";
  const size = Math.abs(value);
  if (value !== 0 && (size < 0.001 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

function percent(credit) {
  return credit === null ? "\u2013" : String(Math.round(credit * 100));
}

function textBox(text, label) {
  const box = make("pre", { class: "text", dir: "auto", tabindex: "0", "aria-label": label });
  return write(box, text);
}

// The nine cells as buttons: the credit of the chosen, in percent.
function outcomeGrid(tuple, place) {
  const outcome = tuple.o[place];
  const across = make("th", { scope: "colgroup", colspan: "3", class: "axis" }, "rejected \u2192");
  const head = make("tr", {}, make("th", { scope: "col", class: "axis" }, "chosen \u2193"));
  for (const style of STYLES) head.append(make("th", { scope: "col" }, style));
  const body = make("tbody");
  for (const row of [0, 1, 2]) {
    const line = make("tr", {}, make("th", { scope: "row" }, STYLES[row]));
    for (const column of [0, 1, 2]) {
      const cell = 3 * row + column;
      const credit = outcome.c[cell];
      const told = credit === null ? "not scored" : `the chosen ${signOf(credit)}`;
      const button = make(
        "button",
        {
          type: "button",
          "data-cell": cell,
          "aria-pressed": "false",
          "aria-label": `${index.scorers[place]}: chosen ${STYLES[row]}, rejected ${STYLES[column]}: ${told}`,
          title: `${difficultyOf(cell)}: ${told}`,
        },
        percent(credit)
      );
      button.addEventListener("click", () => showCell(cell));
      line.append(make("td", { class: heatClass(credit) }, button));
    }
    body.append(line);
  }
  return make("table", { class: "heat" }, make("thead", {}, make("tr", {}, make("td"), across), head), body);
}

function outcomes(tuple) {
  const all = make("div", { class: "maps" });
  tuple.o.forEach((outcome, place) => {
    const caption = make("figcaption", {}, make("b", {}, index.scorers[place]));
    if (outcome && outcome.by && outcome.by !== index.scorers[place]) caption.append(` scored by ${outcome.by}`);
    const content = outcome ? outcomeGrid(tuple, place) : make("p", { class: "note" }, "This tuple is not in its run.");
    all.append(make("figure", { class: "map" }, caption, content));
  });
  return all;
}

function rewards(tuple, side, style) {
  const list = make("dl", { class: "rewards" });
  tuple.o.forEach((outcome, place) => {
    if (!outcome || !outcome.r) return;
    const value = outcome.r[3 * side + style];
    list.append(make("div", {}, make("dt", {}, index.scorers[place]), make("dd", {}, figure(value))));
  });
  return list.children.length ? list : "";
}

function response(tuple, own, side, style) {
  const label = `${SIDES[side]}, ${STYLES[style]}`;
  const text = own ? own[1 + 3 * side + style] : null;
  const size = text === null ? "" : ` ${count(text.length)} characters`;
  return make(
    "div",
    { class: `response ${SIDES[side]}`, "data-side": side, "data-style": style },
    make("h5", {}, make("b", {}, label), make("small", {}, size)),
    rewards(tuple, side, style),
    text === null ? "" : textBox(text, label)
  );
}

// What a statement's answer means, in words.
function verdict(answer, first) {
  if (typeof answer === "string") return `not scored: ${answer}`;
  if (first === null) return `rating ${figure(answer)}`;
  const said = answer === TIE ? "a tie" : `${answer > TIE ? "A" : "B"} is better`;
  const chance = answer === 0 || answer === 1 || answer === TIE ? "" : `, P(A) = ${figure(answer)}`;
  const won = answer === TIE ? "" : answer > TIE === first ? "; the chosen wins" : "; the rejected wins";
  return `${said}${chance}${won}`;
}

function statement(said, name, pool) {
  const [chosen, rejected, first, vote, text, answer, model] = said;
  let about = chosen === null ? `rejected, ${STYLES[rejected]}` : `chosen, ${STYLES[chosen]}`;
  if (first !== null) {
    const pair = [`the chosen (${STYLES[chosen]})`, `the rejected (${STYLES[rejected]})`];
    const [a, b] = first ? pair : pair.reverse();
    about = `A is ${a}, B is ${b}`;
  }
  const parts = [make("b", {}, name), ` \u00b7 ${about} \u00b7 `, make("b", {}, verdict(answer, first))];
  if (vote) parts.push(` \u00b7 vote ${vote + 1}`);
  if (model !== null) parts.push(make("small", {}, " \u00b7 ", write(make("span"), pool[model], [])));
  return make("li", {}, make("p", {}, ...parts), textBox(pool[text], `What ${name} said`));
}

function isAbout(said, cell) {
  const [chosen, rejected] = said;
  if (chosen !== null && rejected !== null) return chosen === rowOf(cell) && rejected === columnOf(cell);
  return chosen === rowOf(cell) || rejected === columnOf(cell);
}

async function showWords(cell) {
  const list = byId("said");
  if (!list) return;
  const number = open;
  const kept = await wordsAround(number);
  if (open !== number || chosenCell !== cell) return; // another was opened meanwhile
  const found = [];
  kept.tuples[number % Number(byId("tuple").dataset.chunk)].forEach((own, place) => {
    for (const said of own) {
      if (isAbout(said, cell)) found.push(statement(said, index.scorers[place], kept.texts));
    }
  });
  list.replaceChildren(...found);
  byId("silent").hidden = found.length > 0;
}

// Mark a cell in every grid and its two responses, and show what was said of them.
function showCell(cell) {
  chosenCell = cell;
  const article = byId("tuple");
  for (const button of article.querySelectorAll("[data-cell]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.cell) === cell));
  }
  for (const box of article.querySelectorAll(".responses .response")) {
    const style = box.dataset.side === "0" ? rowOf(cell) : columnOf(cell);
    box.classList.toggle("marked", Number(box.dataset.style) === style);
  }
  byId("pair").textContent =
    `${difficultyOf(cell)}: chosen ${STYLES[rowOf(cell)]} against rejected ${STYLES[columnOf(cell)]}`;
  showDifference(cell);
  showWords(cell).catch(tell);
}

// The pair side by side, with the words marked that one side alone has.
function showDifference(cell) {
  const box = byId("difference");
  const own = textsOf(open);
  if (!box || !own) return;
  const texts = [own[1 + rowOf(cell)], own[4 + columnOf(cell)]];
  const styles = [STYLES[rowOf(cell)], STYLES[columnOf(cell)]];
  const sides = difference(...texts.map((text) => text.replaceAll("\r\n", "\n")));
  box.replaceChildren(
    ...sides.map((pieces, side) => {
      const label = `${SIDES[side]}, ${styles[side]}`;
      const text = make("pre", { class: "differs", dir: "auto", tabindex: "0", "aria-label": label });
      for (const [words, alone] of pieces) {
        text.append(write(make(alone ? (side ? "del" : "ins") : "span"), words, []));
      }
      return make("div", { class: `response ${SIDES[side]}` }, make("h5", {}, make("b", {}, label)), text);
    })
  );
  byId("alike").hidden = texts[0] !== texts[1];
}

// The cell worth looking at first: one that the filter asks for, else one that went wrong.
function firstCell(tuple) {
  const filter = currentFilter();
  const cells = CELLS_OF[filter.difficulty];
  const asked = filter.scorer === null ? tuple.o : [tuple.o[filter.scorer]];
  const test = PREDICATES[filter.state] ?? PREDICATES.wrong;
  const apartHere = (cell) => filter.state === "disagree" && disagree(tuple.o, [cell], filter.scorer);
  const hit = cells.find((cell) => apartHere(cell) || asked.some((o) => o && test(o.c, [cell])));
  return hit ?? cells[cells.length - 1];
}

function neighbours(number) {
  const place = selection.indexOf(number);
  const to = (other, text, key) =>
    other === undefined
      ? make("span", { class: "gone" }, text)
      : make("a", { href: addressOf(other), "data-key": key }, text);
  const before = place > 0 ? selection[place - 1] : undefined;
  const after = place >= 0 ? selection[place + 1] : undefined;
  const where = place >= 0 ? `${count(place + 1)} of ${count(selection.length)}` : "";
  return make(
    "nav",
    { class: "steps", "aria-label": "Tuples" },
    make("a", { href: addressOf(null), "data-key": "Escape" }, "All tuples"),
    to(before, "\u2190 Previous", "ArrowLeft"),
    make("span", {}, where),
    to(after, "Next \u2192", "ArrowRight")
  );
}

function showTuple(number) {
  const tuple = index.tuples[number];
  const own = textsOf(number);
  open = number;
  const article = byId("tuple");
  const title = make("h3", {}, write(make("span"), nameOf(tuple), []));
  if (tuple.s && tuple.s !== tuple.d) title.append(" ", write(make("small"), tuple.s, []));
  const responses = make("div", { class: "responses" });
  for (const side of [0, 1]) {
    for (const style of [0, 1, 2]) responses.append(response(tuple, own, side, style));
  }
  const parts = [neighbours(number), title];
  if (own) parts.push(make("h4", {}, "Prompt"), textBox(own[0], "Prompt"));
  parts.push(
    make("h4", {}, "Wins of the chosen, %"),
    make("p", { class: "note" }, `Press a cell for its pair${article.dataset.chunk ? " and the judges\u2019 words" : ""}.`),
    outcomes(tuple),
    make("p", { class: "note", id: "pair", role: "status" })
  );
  if (own) {
    parts.push(
      make("h4", {}, "The difference"),
      make("p", { class: "note", id: "alike", hidden: true }, "Both texts are the same."),
      make("div", { class: "pair", id: "difference" })
    );
  }
  parts.push(
    make("h4", {}, "Responses"),
    responses
  );
  if (article.dataset.chunk) {
    parts.push(
      make("h4", {}, "The judges\u2019 words on the marked pair"),
      make("p", { class: "note", id: "silent", hidden: true }, "No reply about this pair is kept."),
      make("ol", { id: "said" })
    );
  }
  article.replaceChildren(...parts);
  article.hidden = false;
  byId("browser").hidden = true;
  byId("filters").hidden = true;
  showCell(firstCell(tuple));
  article.focus({ preventScroll: true });
  byId("tuples").scrollIntoView();
}

function showList() {
  const last = open;
  open = null;
  byId("tuple").hidden = true;
  byId("tuple").replaceChildren();
  byId("browser").hidden = false;
  byId("filters").hidden = false;
  if (last === null) return;
  const place = selection.indexOf(last);
  if (place >= 0 && Math.floor(place / PAGE) !== page) {
    page = Math.floor(place / PAGE);
    showPage(false);
  }
  byId("list").querySelector(`a[href="${CSS.escape(addressOf(last))}"]`)?.focus();
}

function follow() {
  const number = addressed(location.hash);
  if (location.hash.includes("=")) {
    takeFilters(location.hash);
    refresh();
  }
  if (number !== null) showTuple(number);
  else if (open !== null) showList();
}

function tell(error) {
  const note = make("p", { class: "note doubt" }, `The tuples cannot be shown: ${error.message}.`);
  byId("tuples").append(note);
}

function pressed(event) {
  const typing = event.target.closest("input, select, textarea");
  if (event.ctrlKey || event.altKey || event.metaKey || typing) return;
  if (event.key === "/" && open === null) {
    event.preventDefault();
    byId("query").focus();
    return;
  }
  const step = byId("tuple").querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const scrolls = event.key.startsWith("Arrow") && event.target.closest(".text");
  if (open !== null && step && !scrolls) step.click();
}

// The filters were changed by hand: the address says them, so that it can be sent.
function filtered() {
  history.replaceState(null, "", addressOf(null));
  refresh();
}

async function start() {
  byId("filters").hidden = false;
  byId("browser").hidden = false;
  texts = await unpack("texts");
  let waiting = 0;
  byId("filters").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filtered, 80);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  // A reset empties the fields after its event.
  byId("filters").addEventListener("reset", () => setTimeout(filtered, 0));
  addEventListener("hashchange", follow);
  document.addEventListener("keydown", pressed);
  refresh();
  follow();
}

start().catch(tell);
