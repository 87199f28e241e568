package apiclient

import (
	"hash/maphash"

	"cloudsso_exporter/internal/task"
)

// loopGuard notices a read that does not come to an end. It keeps hashes: a read
// of a million tasks has as many ids.
type loopGuard struct {
	seed   maphash.Seed
	tokens map[uint64]struct{}
	ids    map[uint64]struct{}
	stood  bool // the page before brought nothing new
}

func newLoopGuard(token string) *loopGuard {
	g := &loopGuard{seed: maphash.MakeSeed(), tokens: map[uint64]struct{}{}, ids: map[uint64]struct{}{}}
	g.isNew(g.tokens, token)
	return g
}

// check takes the next page. One that says there is more has to bring a token
// that was not used yet, and something new. A page of known tasks may still be
// right, once: as many as it holds have started since the page before, and the
// list, if the newest come first, has moved on by a page.
func (g *loopGuard) check(page task.Page) *Error {
	if page.Next == "" {
		return nil
	}
	if !g.isNew(g.tokens, page.Next) {
		return invalid("NextToken repeats: the list would never end")
	}
	found := false
	for _, t := range page.Tasks {
		found = g.isNew(g.ids, t.ID) || found
	}
	stood := g.stood
	g.stood = !found
	if !found && (stood || len(page.Tasks) == 0) {
		return invalid("a page makes no progress: of its %d tasks none is new, and yet there is a NextToken", len(page.Tasks))
	}
	return nil
}

// isNew notes s and reports whether it was not there before.
func (g *loopGuard) isNew(seen map[uint64]struct{}, s string) bool {
	before := len(seen)
	seen[maphash.String(g.seed, s)] = struct{}{}
	return len(seen) > before
}
