package apiclient

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"
)

// uriProvider asks a credentials server. The library's own follows redirects,
// reads times in one form only and does not say with which status the server
// failed.
type uriProvider struct {
	url     string
	now     func() time.Time
	found   *providers.Credentials
	expires time.Time
}

// GetCredentials returns what the server gave, and asks again shortly before it expires.
func (p *uriProvider) GetCredentials() (*providers.Credentials, error) {
	if p.found != nil && p.expires.Sub(p.now()) > libraryMargin {
		return p.found, nil
	}
	client := http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(p.url)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, known("HTTP " + strconv.Itoa(res.StatusCode))
	}
	body, err := readBody(res.Body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		providers.Credentials
		Expiration string
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil, known("an answer that is not JSON of the right form")
	}
	if answer.AccessKeyId == "" || answer.AccessKeySecret == "" || answer.SecurityToken == "" || answer.Expiration == "" {
		return nil, known("an answer without credentials")
	}
	expires, err := time.Parse(time.RFC3339, answer.Expiration)
	if err != nil {
		return nil, known("an answer with an expiration that is not a time")
	}
	p.found, p.expires = &answer.Credentials, expires
	return p.found, nil
}

// GetProviderName is part of what credentials-go wants of a provider.
func (p *uriProvider) GetProviderName() string { return "credentials_uri" }
