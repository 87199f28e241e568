package apiclient

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const algorithm = "ACS3-HMAC-SHA256"

// emptySum is the SHA-256 of an empty body.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Signer is an http.RoundTripper that signs a copy of each request by
// ACS3-HMAC-SHA256 and hands it to Base. It signs host and every x-acs-*
// header; the caller sets x-acs-action and x-acs-version. Base and Keys are
// required. It may be used by several goroutines at once.
type Signer struct {
	Base  http.RoundTripper
	Keys  KeySource
	Now   func() time.Time // what x-acs-date says; nil: time.Now
	Nonce func() string    // of one request; nil: 128 random bits
}

// RoundTrip signs and sends r, which it does not change. It follows no redirect.
func (s *Signer) RoundTrip(r *http.Request) (*http.Response, error) {
	signed, err := s.sign(r)
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, fmt.Errorf("sign the request: %w", err)
	}
	return s.Base.RoundTrip(signed)
}

func (s *Signer) sign(r *http.Request) (*http.Request, error) {
	keys, err := s.Keys.Keys(r.Context())
	if err != nil {
		return nil, err
	}
	sum, err := bodySum(r)
	if err != nil {
		return nil, err
	}
	now, nonce := time.Now, randomNonce
	if s.Now != nil {
		now = s.Now
	}
	if s.Nonce != nil {
		nonce = s.Nonce
	}

	r = r.Clone(r.Context())
	// What is signed and what is sent are the same bytes.
	r.URL.RawQuery, err = canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	r.Header["X-Acs-Date"] = []string{now().UTC().Format("2006-01-02T15:04:05Z")}
	r.Header["X-Acs-Signature-Nonce"] = []string{nonce()}
	r.Header["X-Acs-Content-Sha256"] = []string{sum}
	if keys.SecurityToken != "" {
		r.Header["X-Acs-Security-Token"] = []string{keys.SecurityToken}
	}

	canonical, signedHeaders := canonicalRequest(r, sum)
	digest := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(keys.AccessKeySecret))
	io.WriteString(mac, algorithm+"\n"+hex.EncodeToString(digest[:]))
	r.Header["Authorization"] = []string{algorithm +
		" Credential=" + keys.AccessKeyID +
		",SignedHeaders=" + signedHeaders +
		",Signature=" + hex.EncodeToString(mac.Sum(nil))}
	return r, nil
}

// bodySum is the SHA-256 of the body, which is still to be sent afterwards.
func bodySum(r *http.Request) (string, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return emptySum, nil
	}
	if r.GetBody == nil {
		return "", errors.New("the body cannot be read twice: set GetBody")
	}
	body, err := r.GetBody()
	if err != nil {
		return "", err
	}
	defer body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, body); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func randomNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
