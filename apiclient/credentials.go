package apiclient

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// libraryMargin is how long keys are good that credentials-go has just handed
	// out: it fetches again when they have less.
	libraryMargin = 3 * time.Minute
	// freshFor is how long keys are used without asking credentials-go again.
	freshFor = time.Minute
	// thinOut is the least time between a failure and the next attempt.
	thinOut = time.Second
	// safety is taken off every validity, for calls under way and clocks that differ.
	safety = 30 * time.Second
)

// Credentials is a KeySource that obtains keys as a Credential says, through
// credentials-go. That library has no locks and knows no contexts: it is asked
// by one goroutine at a time, whatever the number of callers, and who does not
// want to wait any longer leaves it behind.
//
// Keys that are still good stay in use when new ones are not available. Files
// are read at each call, and keys made again when one has changed; one that is
// missing or empty is an error at once. Errors hold no secret and nothing of
// the library's texts, which may quote a profile or a signed URL.
type Credentials struct {
	credential Credential
	now        func() time.Time
	build      func(Credential) (fetcher, error)

	mu       sync.Mutex
	flight   *fetch // nil: none under way
	keys     Keys   // last good ones; zero: none
	since    time.Time
	vouched  time.Time // when the library last said that they are good
	refused  bool      // by the API: the next ones have to be new
	failure  error     // of the last fetch; nil: it succeeded
	failedAt time.Time

	// Of the flight, no lock needed.
	fetcher fetcher // nil: to be built
	values  *Credential
}

// fetch is one flight. Keys and err may be read once done is closed.
type fetch struct {
	done chan struct{}
	keys Keys
	err  error
}

// NewCredentials returns the source of a credential's keys. It calls nobody and
// reads no file. Now is the local clock.
func NewCredentials(c Credential, now func() time.Time) (*Credentials, error) {
	if !c.Type.known() {
		return nil, errors.New("the type of the credential is not known: see the documentation of credential.type")
	}
	if slices.Contains(strings.Split(os.Getenv("DEBUG"), ","), "credential") {
		return nil, errors.New("the environment variable DEBUG has credentials-go print tokens: take credential out of it")
	}
	build := func(c Credential) (fetcher, error) { return builder{now}.provider(c) }
	return &Credentials{credential: c, now: now, build: build}, nil
}

// Keys returns keys that are good now. It stops waiting with ctx; a fetch under
// way goes on for the next caller.
func (s *Credentials) Keys(ctx context.Context) (Keys, error) {
	if err := ctx.Err(); err != nil {
		return Keys{}, err
	}
	s.mu.Lock()
	if keys, ok := s.fresh(); ok && !s.credential.hasFiles() {
		s.mu.Unlock()
		return keys, nil
	}
	f := s.flight
	if f == nil {
		f = &fetch{done: make(chan struct{})}
		s.flight = f
		go s.fly(f)
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.keys, f.err
	case <-ctx.Done():
		return Keys{}, ctx.Err()
	}
}

// Refused says that the API does not accept k. If these are the keys in use,
// they are dropped, and new ones fetched.
func (s *Credentials) Refused(k Keys) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == k {
		s.keys, s.refused = Keys{}, true
	}
}

// String names the type and nothing else: keys are not for printing.
func (s *Credentials) String() string { return s.credential.String() }

// GoString is String, for %#v.
func (s *Credentials) GoString() string { return s.String() }

func (s *Credentials) fly(f *fetch) {
	f.keys, f.err = s.obtain()
	s.mu.Lock()
	s.flight = nil
	s.mu.Unlock()
	close(f.done)
}

// obtain is the work of a flight.
func (s *Credentials) obtain() (Keys, error) {
	values, err := s.credential.withFiles()
	if err != nil {
		return Keys{}, err
	}
	changed := s.values == nil || *s.values != values
	s.mu.Lock()
	keys, fresh := s.fresh()
	thin := s.failure != nil && s.now().Sub(s.failedAt).Abs() < thinOut
	renew := changed || s.refused || s.failure != nil
	s.mu.Unlock()
	switch {
	case fresh && !changed:
		return keys, nil
	case thin && !changed:
		return s.kept()
	case renew:
		// After an error the library's chain would ask the wrong provider for ever.
		s.fetcher = nil
	}
	s.values = &values
	keys, err = s.fetch(values)

	s.mu.Lock()
	s.failure = err
	if err != nil {
		s.failedAt = s.now()
		s.mu.Unlock()
		return s.kept()
	}
	defer s.mu.Unlock()
	if s.vouched = s.now(); s.keys != keys {
		s.keys, s.since = keys, s.vouched
	}
	s.refused = false
	return keys, nil
}

// fresh returns the keys if nobody has to be asked about them. It needs mu.
func (s *Credentials) fresh() (Keys, bool) {
	age := s.now().Sub(s.vouched)
	return s.keys, s.keys != Keys{} && !s.refused && s.failure == nil && 0 <= age && age < freshFor
}

// kept is what there is after a failure: the last good keys while they are
// good, else the failure.
func (s *Credentials) kept() (Keys, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := s.vouched.Add(libraryMargin)
	if life := s.since.Add(s.credential.Type.lifetime()); life.After(until) {
		until = life
	}
	if (s.keys == Keys{}) || s.now().After(until.Add(-safety)) {
		return Keys{}, s.failure
	}
	return s.keys, nil
}
