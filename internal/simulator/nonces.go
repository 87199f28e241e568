package simulator

import (
	"sync"
	"time"
)

// nonces remembers which nonces were used, for at least as long as a date is
// accepted (15 minutes either way), in bounded memory: two generations, of
// which the older is dropped when the younger is full or old enough. The zero
// value works.
type nonces struct {
	mu       sync.Mutex
	cur, old map[string]struct{}
	begun    time.Time // of cur
}

const maxNonces = 1 << 17 // of one generation

// use reports whether the nonce is new, and remembers it.
func (n *nonces) use(nonce string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cur == nil || now.Sub(n.begun).Abs() > 2*dateTolerance || len(n.cur) >= maxNonces {
		n.old, n.cur, n.begun = n.cur, map[string]struct{}{}, now
	}
	_, inCur := n.cur[nonce]
	_, inOld := n.old[nonce]
	if inCur || inOld {
		return false
	}
	n.cur[nonce] = struct{}{}
	return true
}
