// The page of `rmjudge review`: one task at a time; y, n, b, 1, 2 answer it, e, s and u do as the
// buttons say. Texts are put in as text, never as HTML.

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const KEPT = `rmjudge-review-${data.reviewer}`;
const answered = new Map(); // texts -> answer, of a page that is no server's
const order = []; // texts of the answers, the last one last
const skipped = new Set();
let queue = data.tasks.slice();
let busy = false;

function element(name, text, kind) {
  const one = document.createElement(name);
  one.textContent = text;
  if (kind) one.className = kind;
  return one;
}

function tell(text) {
  at("told").textContent = text;
  at("told").hidden = !text;
}

function remember() {
  try {
    localStorage.setItem(KEPT, JSON.stringify([...answered]));
  } catch {
    tell("This browser keeps nothing of this page: save the answers before you close it.");
  }
}

function recall() {
  try {
    const known = new Set(data.tasks.map((task) => task.texts));
    for (const [texts, answer] of JSON.parse(localStorage.getItem(KEPT) || "[]")) {
      if (!known.has(texts)) continue;
      answered.set(texts, answer);
      order.push(texts);
    }
  } catch {
    tell("This browser keeps nothing of this page: save the answers before you close it.");
  }
  queue = queue.filter((task) => !answered.has(task.texts));
}

function fill(task) {
  at("id").textContent = `Tuple ${task.id}${task.blind ? ", blind" : ""}`;
  at("why").textContent = `Why you see it: ${task.why}.`;
  at("prompt").textContent = task.prompt;
  at("reference").textContent = task.reference;
  at("reference-part").hidden = !task.reference;
  at("difference").replaceChildren(
    ...task.difference.map(([part, text]) =>
      part === "both" ? document.createTextNode(text) : element(part === "first" ? "del" : "ins", text)
    )
  );
  at("legend").replaceChildren(
    document.createTextNode("Marked so: "),
    element("span", `only in the ${task.sides[0].name}`, "key-first"),
    document.createTextNode(" "),
    element("span", `only in the ${task.sides[1].name}`, "key-second"),
    document.createTextNode(". The rest is the same in both.")
  );
  at("claims").replaceChildren(...task.claims.map(([title, text]) => element("p", `${title}: ${text}`)));
  at("votes").replaceChildren(...task.votes.map((line) => element("li", line)));
  at("votes-part").hidden = task.votes.length === 0;
  at("texts").replaceChildren(
    ...task.styles.flatMap((style, k) =>
      task.sides.map((side) => {
        const one = document.createElement("div");
        one.append(element("h4", `${side.name}, ${style}`), element("pre", side.texts[k], "text"));
        return one;
      })
    )
  );
  at("fix").hidden = task.blind || !data.served;
  at("fix").open = false;
  at("fix-form").reset();
  at("question").textContent = task.question;
  at("answers").replaceChildren(
    ...task.answers.map(([word, key, label]) => {
      const button = element("button", ` ${label}`);
      button.type = "button";
      button.prepend(element("kbd", key));
      button.addEventListener("click", () => answer(word));
      return button;
    })
  );
}

function show() {
  const task = queue[0];
  at("task").hidden = !task;
  at("end").hidden = Boolean(task);
  const blind = queue.filter((one) => one.blind).length;
  const parts = [`${queue.length - blind} wait for a decision`, `${blind} are shown blind`];
  at("progress").textContent = `${order.length} answered; ${parts.join(", ")}; ${skipped.size} skipped.`;
  at("undo").disabled = at("undo-end").disabled = order.length === 0;
  at("again").hidden = skipped.size === 0;
  if (task) fill(task);
  else
    at("end-text").textContent = data.served
      ? "All answers are on disk. End rmjudge review with Ctrl-C in its terminal: it then writes the build's files again."
      : "All tuples of this page are answered: save the answers as a file.";
  window.scrollTo(0, 0);
}

async function send(given) {
  if (!data.served) return {};
  const reply = await fetch("take", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(given),
  });
  if (!reply.ok) throw new Error(await reply.text());
  return reply.json();
}

async function exchange(given, done) {
  if (busy) return;
  busy = true;
  try {
    const told = await send(given);
    tell(told.error || "");
    if (!told.error) {
      done();
      show();
    }
  } catch {
    tell("rmjudge review has ended, or cannot be reached. This answer is not kept; the others are.");
  } finally {
    busy = false;
  }
}

function next(word) {
  const task = queue.shift();
  order.push(task.texts);
  if (data.served) return;
  answered.set(task.texts, word);
  remember();
}

function answer(word) {
  const task = queue[0];
  if (task) exchange({ texts: task.texts, answer: word }, () => next(word));
}

function undo() {
  if (order.length === 0) return;
  exchange({ undo: true }, () => {
    const texts = order.pop();
    answered.delete(texts);
    if (!data.served) remember();
    const task = data.tasks.find((one) => one.texts === texts);
    queue = [task, ...queue.filter((one) => one !== task)];
  });
}

function skip() {
  const task = queue.shift();
  if (task) skipped.add(task);
  show();
}

function again() {
  queue = [...skipped, ...queue];
  skipped.clear();
  show();
}

function fix() {
  at("fix").open = true;
  at("fix-find").focus();
}

function save() {
  const blind = new Map(data.tasks.map((task) => [task.texts, task.blind]));
  const decisions = [...answered].map(([texts, word]) => ({ texts, blind: blind.get(texts), answer: word }));
  const text = JSON.stringify({ rmjudge: data.mark, reviewer: data.reviewer, decisions }, null, 1);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `decisions-${data.reviewer}.json`;
  link.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  if (event.key === "u") return undo();
  const task = queue[0];
  if (!task) return;
  const found = task.answers.find(([, key]) => key === event.key);
  if (found) answer(found[0]);
  else if (event.key === "s") skip();
  else if (event.key === "e" && !at("fix").hidden) {
    event.preventDefault();
    fix();
  }
});
at("skip").addEventListener("click", skip);
at("undo").addEventListener("click", undo);
at("undo-end").addEventListener("click", undo);
at("again").addEventListener("click", again);
if (at("save")) at("save").addEventListener("click", save);
at("fix-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const fixed = { side: at("fix-side").value, find: at("fix-find").value, replace: at("fix-replace").value };
  exchange({ texts: queue[0].texts, ...fixed }, () => next("fix"));
});
if (!data.served) recall();
show();
