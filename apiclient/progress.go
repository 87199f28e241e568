package apiclient

import (
	"hash/maphash"

	"cloudsso_exporter/internal/task"
)

// progress notices a read that does not come to an end. It keeps hashes: a read
// of a million tasks has as many ids.
type progress struct {
	seed   maphash.Seed
	tokens map[uint64]struct{}
	ids    map[uint64]struct{}
	stood  bool // the page before brought nothing new
}

func newProgress(token string) *progress {
	p := &progress{seed: maphash.MakeSeed(), tokens: map[uint64]struct{}{}, ids: map[uint64]struct{}{}}
	if token != "" {
		p.isNew(p.tokens, token)
	}
	return p
}

// check takes the next page. One that says there is more has to bring a token
// that was not used yet, and something new. A page of known tasks may still be
// right, once: as many as it holds have started since the page before, and the
// list, if the newest come first, has moved on by a page.
func (p *progress) check(page task.Page) *Error {
	if page.Next == "" {
		return nil
	}
	if !p.isNew(p.tokens, page.Next) {
		return invalid("NextToken repeats: the list would never end")
	}
	found := false
	for _, t := range page.Tasks {
		found = p.isNew(p.ids, t.ID) || found
	}
	stood := p.stood
	p.stood = !found
	if !found && (stood || len(page.Tasks) == 0) {
		return invalid("a page makes no progress: of its %d tasks none is new, and yet there is a NextToken", len(page.Tasks))
	}
	return nil
}

// isNew notes s and reports whether it was not there before.
func (p *progress) isNew(seen map[uint64]struct{}, s string) bool {
	before := len(seen)
	seen[maphash.String(p.seed, s)] = struct{}{}
	return len(seen) > before
}
