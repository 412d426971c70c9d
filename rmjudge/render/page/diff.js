// Where two texts differ, word by word: what each has and the other has not in that place.

const WORDS = /\s+|\d+(?:[.,]\d+)+|[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]/gu;
const MOST_PAIRS = 4e6; // of words; what lies between the ends that are alike is marked beyond that

// The places of `left` and `right` that a longest common subsequence holds, as [left, right] pairs.
function common(left, right) {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1;
  let end = 0;
  const most = Math.min(left.length, right.length) - start;
  while (end < most && left[left.length - 1 - end] === right[right.length - 1 - end]) end += 1;
  const rows = left.length - end - start;
  const columns = right.length - end - start;
  const pairs = [];
  for (let k = 0; k < start; k += 1) pairs.push([k, k]);
  if (rows * columns <= MOST_PAIRS) {
    const width = columns + 1;
    const longest = new Uint32Array((rows + 1) * width);
    for (let i = rows - 1; i >= 0; i -= 1) {
      for (let j = columns - 1; j >= 0; j -= 1) {
        longest[i * width + j] =
          left[start + i] === right[start + j]
            ? longest[(i + 1) * width + j + 1] + 1
            : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
      }
    }
    let i = 0;
    let j = 0;
    while (i < rows && j < columns) {
      if (left[start + i] === right[start + j]) {
        pairs.push([start + i, start + j]);
        i += 1;
        j += 1;
      } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) i += 1;
      else j += 1;
    }
  }
  for (let k = end; k > 0; k -= 1) pairs.push([left.length - k, right.length - k]);
  return pairs;
}

// Pieces of one text, `[text, own]`: a blank between two of its own words belongs to them.
function piecesOf(words, shared) {
  const own = words.map((word, place) => !shared.has(place));
  words.forEach((word, place) => {
    const between = place > 0 && place + 1 < words.length && own[place - 1] && own[place + 1];
    if (between && /^\s+$/u.test(word)) own[place] = true;
  });
  const pieces = [];
  words.forEach((word, place) => {
    const last = pieces[pieces.length - 1];
    if (last && last[1] === own[place]) last[0] += word;
    else pieces.push([word, own[place]]);
  });
  return pieces;
}

function difference(one, other) {
  const left = one.match(WORDS) ?? [];
  const right = other.match(WORDS) ?? [];
  const pairs = common(left, right);
  return [
    piecesOf(left, new Set(pairs.map((pair) => pair[0]))),
    piecesOf(right, new Set(pairs.map((pair) => pair[1]))),
  ];
}
