// Compares two texts word by word.

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’.-][\p{L}\p{M}\p{N}]+)*/gu;
// They say nothing about a picture; marking them would hide the words that do.
const QUIET = new Set(["a", "an", "the", "is", "are", "and", "of"]);

// [{start, end, key}], `key` in lower case.
function wordsOf(text) {
  return Array.from(text.matchAll(WORD), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
    key: match[0].toLowerCase(),
  }));
}

// Which of our words occur among theirs too, each at most as often as there.
function shared(ours, theirs) {
  const left = new Map();
  theirs.forEach(({ key }) => left.set(key, (left.get(key) ?? 0) + 1));
  return ours.map(({ key }) => {
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count > 0;
  });
}

// {beyond: the ranges of words that only `text` has, lacks: the words that only `other` has}.
function difference(text, other) {
  const [ours, theirs] = [wordsOf(text), wordsOf(other)];
  const alone = (words, others) => {
    const isShared = shared(words, others);
    return words.map(({ key }, index) => !isShared[index] && !QUIET.has(key));
  };
  const [oursAlone, theirsAlone] = [alone(ours, theirs), alone(theirs, ours)];
  const beyond = [];
  ours.forEach(({ start, end }, index) => {
    if (!oursAlone[index]) return;
    if (index && oursAlone[index - 1]) beyond.at(-1)[1] = end;
    else beyond.push([start, end]);
  });
  return {
    beyond,
    lacks: theirs.filter((_, index) => theirsAlone[index]).map(({ start, end }) => other.slice(start, end)),
  };
}

// The index of the reference that shares the largest part of its words with the caption; -1 without references.
function nearest(caption, references) {
  const ours = wordsOf(caption);
  let [best, index] = [-1, -1];
  references.forEach((reference, number) => {
    const theirs = wordsOf(reference);
    const common = shared(ours, theirs).filter(Boolean).length;
    const share = (2 * common) / (ours.length + theirs.length || 1);
    if (share > best) [best, index] = [share, number];
  });
  return index;
}
