package simulator

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options are the settings of a Server that never change. The zero value
// works, and refuses every call for want of keys.
type Options struct {
	Now     func() time.Time // the API's clock; nil: time.Now
	Keys    []Key            // who may call; see also SetKeys
	Latency time.Duration    // before every answer, faults apart

	Order      Order  // of the list; the reference promises none
	Cursors    bool   // tokens say after which task, not after how many: arriving tasks shift no page
	CountAll   bool   // TotalCounts counts the whole list, not the entries of the page
	RandomSeed uint64 // of a random order
}

// Server is the simulated API. It is an http.Handler, safe for concurrent use.
type Server struct {
	opts   Options
	nonces nonces
	log    callLog

	mu          sync.RWMutex
	skew        time.Duration
	keys        []Key
	directories map[string]*Directory
	rules       []Rule
}

// New returns a Server without directories.
func New(opts Options) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, directories: map[string]*Directory{}}
	s.SetKeys(opts.Keys...)
	return s
}

// SetKeys replaces the keys that may call; without arguments all are revoked.
func (s *Server) SetKeys(keys ...Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = slices.Clone(keys)
}

// SetSkew puts the API's clock off by d from Options.Now: the Date header, the
// check of x-acs-date and of the Filter, and the tasks all follow it.
func (s *Server) SetSkew(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = d
}

// SetFaults replaces the rules; without arguments nothing goes wrong any more.
// The first rule that applies to a call decides.
func (s *Server) SetFaults(rules ...Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = slices.Clone(rules)
}

// Directory returns the directory with the id; it is made, empty, when there is
// none. Calls for ids that were never asked for here are refused.
func (s *Server) Directory(id string) *Directory {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.directories[id]
	if !ok {
		d = &Directory{id: id, order: s.opts.Order, seed: s.opts.RandomSeed, byID: map[string]*Record{}}
		s.directories[id] = d
	}
	return d
}

// Now returns the time of the API's clock, in UTC.
func (s *Server) Now() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.opts.Now().Add(s.skew).UTC()
}

// ServeHTTP answers one call. Signature and parameters are verified before a
// fault strikes, so that a fault hides no mistake of the client.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !pause(r.Context(), s.opts.Latency) {
		return
	}
	now := s.Now()
	w.Header().Set("Date", now.Format(http.TimeFormat))
	if refused := s.verify(r, now); refused != nil {
		s.log.end(Call{Time: now, Code: refused.Code})
		refuse(w, r, refused, 0)
		return
	}
	q, refused := s.parseQuery(r, now)
	if refused != nil {
		s.log.end(Call{Time: now, Params: r.URL.Query(), Code: refused.Code})
		refuse(w, r, refused, 0)
		return
	}
	call := s.log.begin(Call{Time: now, Params: q.params, Page: q.at.Page})
	// Logged even when the fault breaks off the connection by a panic.
	defer func() { s.log.end(call) }()
	fault := s.fault(call)
	if !pause(r.Context(), fault.Delay) {
		call.Code = codeCanceled
		return
	}
	s.answer(w, r, q, &call, fault)
}

// fault returns what goes wrong with the call: the first rule that applies.
func (s *Server) fault(c Call) Fault {
	s.mu.RLock()
	rules := s.rules
	s.mu.RUnlock()
	for _, rule := range rules {
		if rule.When == nil || rule.When(c) {
			return rule.Fault
		}
	}
	return Fault{}
}

// pause waits for d and reports whether the request still stands.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
