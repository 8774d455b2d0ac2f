/** A value's place in a `LinkedList`, with which it can be removed. */
export class Place<T> {
  readonly value: T;
  /** Neighbors in the list. Undefined outside of it. */
  next: Place<T> | undefined;
  previous: Place<T> | undefined;

  constructor(value: T) {
    this.value = value;
  }
}

/**
 * Values in the order of their arrival.
 *
 * For what is in progress, instead of a Set or Map: those replace their table often if values come and go, and V8 links
 * each table to the next one. So one table in the old generation keeps the values of all later ones until the next full
 * collection, and the cheap collections of the young generation would free no call.
 */
export class LinkedList<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(value: T): Place<T> {
    const place = new Place(value);
    const last = this.#last;
    place.previous = last;
    if (last === undefined) this.#first = place;
    else last.next = place;
    this.#last = place;
    this.#size++;
    return place;
  }

  /** Removes a value. Has no effect if the place is not in the list. */
  delete(place: Place<T>): void {
    const { previous, next } = place;
    if (previous === undefined && this.#first !== place) return;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    // A removed place must not keep those that were added after it.
    place.previous = undefined;
    place.next = undefined;
    this.#size--;
  }

  /** The loop can remove the value that it has, but no other one. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let place = this.#first; place !== undefined; ) {
      const { value, next } = place;
      yield value;
      place = next;
    }
  }
}
