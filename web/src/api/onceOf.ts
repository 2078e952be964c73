/** What follows from an answer, computed once for it, however many cells of a table ask. */
export function onceOf<A extends object, R>(compute: (answer: A) => R): (answer: A) => R {
  const kept = new WeakMap<A, R>();
  return (answer) => {
    const found = kept.get(answer) ?? compute(answer);
    kept.set(answer, found);
    return found;
  };
}
