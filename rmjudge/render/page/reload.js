// Of a page that `rmjudge view` serves: it asks for news, and loads itself again with new results.

const EVERY_MS = 2000;

function showRunning(place, lines) {
  place.replaceChildren(
    ...lines.map((line) => {
      const one = document.createElement("p");
      one.textContent = line;
      return one;
    })
  );
  place.hidden = lines.length === 0;
}

async function lookForNews(place) {
  try {
    const answer = await fetch("state", { cache: "no-store" });
    const news = await answer.json();
    if (news.state !== place.dataset.state) location.reload();
    else showRunning(place, news.running);
  } catch {
    showRunning(place, ["rmjudge view has ended, or cannot be reached: this page stays as it is."]);
  }
}

{
  const place = document.getElementById("running");
  setInterval(() => lookForNews(place), EVERY_MS);
}
