package apiclient

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
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
	flight     singleflight.Group

	mu       sync.Mutex
	values   Credential // of the last fetch, with what the files held
	fetcher  fetcher    // nil: to be built
	keys     Keys       // last good ones; zero: none
	made     time.Time  // when they were first given
	vouched  time.Time  // when the library last said that they are good
	failure  error      // of the last fetch; nil: it succeeded
	failedAt time.Time
}

// NewCredentials returns the source of a credential's keys. It calls nobody and
// reads no file. Now is the local clock.
func NewCredentials(c Credential, now func() time.Time) (*Credentials, error) {
	if c.Type.cure() == "" {
		return nil, errors.New("the type of the credential is not known: see the documentation of credential.type")
	}
	if slices.Contains(strings.Split(os.Getenv("DEBUG"), ","), "credential") {
		return nil, errors.New("the environment variable DEBUG makes credentials-go print tokens: remove credential from it")
	}
	build := func(c Credential) (fetcher, error) { return c.provider(now) }
	return &Credentials{credential: c, now: now, build: build}, nil
}

// Format names the type and nothing else: keys are not for printing.
func (s *Credentials) Format(f fmt.State, verb rune) { s.credential.Format(f, verb) }

// Keys returns keys that are good now. It stops waiting with ctx; a fetch under
// way goes on for the next caller.
func (s *Credentials) Keys(ctx context.Context) (Keys, error) {
	s.mu.Lock()
	keys, fresh := s.keys, s.fresh()
	s.mu.Unlock()
	if fresh && !s.credential.hasFiles() {
		return keys, nil
	}
	flight := s.flight.DoChan("", func() (any, error) { return s.obtain() })
	select {
	case landed := <-flight:
		keys, _ := landed.Val.(Keys)
		return keys, landed.Err
	case <-ctx.Done():
		return Keys{}, ctx.Err()
	}
}

// Refused says that the API does not accept k. If these are the keys in use,
// they are dropped, and so is the provider, which may keep them.
func (s *Credentials) Refused(k Keys) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == k {
		s.keys, s.fetcher = Keys{}, nil
	}
}

// obtain is the work of a flight.
func (s *Credentials) obtain() (Keys, error) {
	values, err := s.credential.withFiles()
	if err != nil {
		return Keys{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.values != values:
		s.values, s.fetcher = values, nil
	case s.fresh():
		return s.keys, nil
	case s.failure != nil && s.now().Sub(s.failedAt).Abs() < thinOut:
		return s.kept()
	}
	asked := s.fetcher
	s.mu.Unlock() // callers look at the keys meanwhile
	asked, keys, err := s.fetch(asked, values)
	s.mu.Lock()

	now := s.now()
	if err != nil {
		// Built again: after an error a provider may go on with what has failed.
		s.fetcher, s.failure, s.failedAt = nil, values.failure(cause(err)), now
		return s.kept()
	}
	if s.keys != keys {
		s.keys, s.made = keys, now
	}
	s.fetcher, s.vouched, s.failure = asked, now, nil
	return keys, nil
}

// fetch asks a provider, which is built first when there is none.
func (s *Credentials) fetch(from fetcher, values Credential) (_ fetcher, keys Keys, err error) {
	defer func() {
		if recover() != nil { // the library follows pointers that an answer may leave nil
			err = known("an answer in an unexpected format")
		}
	}()
	if from == nil {
		if from, err = s.build(values); err != nil {
			return nil, Keys{}, err
		}
	}
	found, err := from.GetCredentials()
	if err != nil {
		return nil, Keys{}, err
	}
	keys, err = usable(found)
	return from, keys, err
}

// fresh reports whether nobody has to be asked about the keys. It needs mu.
func (s *Credentials) fresh() bool {
	age := s.now().Sub(s.vouched)
	return s.keys != Keys{} && s.failure == nil && 0 <= age && age < freshFor
}

// kept is what there is after a failure: the last good keys while they are
// good, else the failure. It needs mu.
func (s *Credentials) kept() (Keys, error) {
	good := s.vouched.Add(libraryMargin).Sub(s.now())
	if t := s.credential.Type; t == CredentialRAMRoleARN || t == CredentialOIDCRoleARN {
		good = max(good, s.made.Add(sessionLife).Sub(s.now()))
	}
	if (s.keys == Keys{}) || good < safety {
		return Keys{}, s.failure
	}
	return s.keys, nil
}
