package throttle

import "container/list"

// recent remembers a value for each of the keys used last, and forgets the
// longest unused first. Its owner locks.
type recent[T any] struct {
	limit int
	byKey map[string]*list.Element // of *entry[T]
	byUse *list.List               // most recently used in front
}

type entry[T any] struct {
	key   string
	value T
}

func newRecent[T any](limit int) *recent[T] {
	return &recent[T]{limit: limit, byKey: make(map[string]*list.Element), byUse: list.New()}
}

// get returns the place of a key's value, zero if there was none.
func (r *recent[T]) get(key string) *T {
	if e, ok := r.byKey[key]; ok {
		r.byUse.MoveToFront(e)
		return &e.Value.(*entry[T]).value
	}
	made := &entry[T]{key: key}
	r.byKey[key] = r.byUse.PushFront(made)
	if r.byUse.Len() > r.limit {
		r.forget(r.byUse.Back().Value.(*entry[T]).key)
	}
	return &made.value
}

// forget drops a key.
func (r *recent[T]) forget(key string) {
	if e, ok := r.byKey[key]; ok {
		r.byUse.Remove(e)
		delete(r.byKey, key)
	}
}
