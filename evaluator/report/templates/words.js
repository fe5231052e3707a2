// Word by word: what one text says beyond another.

const WORD = /[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*/gu;
// The table of an alignment grows with both lengths; nobody reads the differences of longer texts.
const MOST_WORDS = 300;

// [{start, end, key}], `key` in lower case.
function wordsOf(text) {
  return Array.from(text.matchAll(WORD), (found) => ({
    start: found.index,
    end: found.index + found[0].length,
    key: found[0].toLowerCase(),
  }));
}

// The longest common subsequence: which words of each are in it, as two arrays of booleans.
function aligned(ours, theirs) {
  const width = theirs.length + 1;
  const longest = new Uint16Array((ours.length + 1) * width);
  for (let i = ours.length - 1; i >= 0; i--) {
    for (let j = theirs.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        ours[i].key === theirs[j].key
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const [inOurs, inTheirs] = [ours, theirs].map((words) => new Array(words.length).fill(false));
  for (let i = 0, j = 0; i < ours.length && j < theirs.length; ) {
    if (ours[i].key === theirs[j].key) {
      inOurs[i++] = inTheirs[j++] = true;
    } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
      i++;
    } else {
      j++;
    }
  }
  return [inOurs, inTheirs];
}

// {beyond: the ranges of `text` that `other` lacks, lacks: the words of `other` that `text` lacks}, or null.
function difference(text, other) {
  const [ours, theirs] = [wordsOf(text), wordsOf(other)];
  if (ours.length > MOST_WORDS || theirs.length > MOST_WORDS) return null;
  const [inOurs, inTheirs] = aligned(ours, theirs);
  const beyond = [];
  ours.forEach(({ start, end }, place) => {
    if (inOurs[place]) return;
    if (place && !inOurs[place - 1]) beyond.at(-1)[1] = end;
    else beyond.push([start, end]);
  });
  return {
    beyond,
    lacks: theirs.filter((_, place) => !inTheirs[place]).map(({ start, end }) => other.slice(start, end)),
  };
}

// The reference that shares the largest part of its words with the caption; -1 where there is none.
function nearest(caption, references) {
  const ours = wordsOf(caption).map(({ key }) => key);
  let [best, place] = [-1, -1];
  references.forEach((reference, number) => {
    const left = new Map();
    const theirs = wordsOf(reference);
    theirs.forEach(({ key }) => left.set(key, (left.get(key) ?? 0) + 1));
    let shared = 0;
    for (const key of ours) {
      if (left.get(key) > 0) {
        left.set(key, left.get(key) - 1);
        shared++;
      }
    }
    const share = (2 * shared) / (ours.length + theirs.length || 1);
    if (share > best) [best, place] = [share, number];
  });
  return place;
}
