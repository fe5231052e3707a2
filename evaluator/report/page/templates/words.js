// Word by word: what one text says beyond another.

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’.-][\p{L}\p{M}\p{N}]+)*/gu;
// They say nothing about a picture, and marking them would hide what does.
const QUIET = new Set(["a", "an", "the", "is", "are", "and", "of"]);

// [{start, end, key}], `key` in lower case.
function wordsOf(text) {
  return Array.from(text.matchAll(WORD), (found) => ({
    start: found.index,
    end: found.index + found[0].length,
    key: found[0].toLowerCase(),
  }));
}

// Which of our words the others hold too, each as often as they do.
function held(ours, theirs) {
  const left = new Map();
  theirs.forEach(({ key }) => left.set(key, (left.get(key) ?? 0) + 1));
  return ours.map(({ key }) => {
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count > 0;
  });
}

// {beyond: the ranges of `text` that `other` does not say, lacks: the words that only `other` says}.
function difference(text, other) {
  const [ours, theirs] = [wordsOf(text), wordsOf(other)];
  const alone = (words, others) => {
    const found = held(words, others);
    return words.map(({ key }, place) => !found[place] && !QUIET.has(key));
  };
  const [oursAlone, theirsAlone] = [alone(ours, theirs), alone(theirs, ours)];
  const beyond = [];
  ours.forEach(({ start, end }, place) => {
    if (!oursAlone[place]) return;
    if (place && oursAlone[place - 1]) beyond.at(-1)[1] = end;
    else beyond.push([start, end]);
  });
  return {
    beyond,
    lacks: theirs.filter((_, place) => theirsAlone[place]).map(({ start, end }) => other.slice(start, end)),
  };
}

// The reference that shares the largest part of its words with the caption; -1 where there is none.
function nearest(caption, references) {
  const ours = wordsOf(caption);
  let [best, place] = [-1, -1];
  references.forEach((reference, number) => {
    const theirs = wordsOf(reference);
    const shared = held(ours, theirs).filter(Boolean).length;
    const share = (2 * shared) / (ours.length + theirs.length || 1);
    if (share > best) [best, place] = [share, number];
  });
  return place;
}
