package simulator

import (
	"bytes"
	"crypto/hmac"
	"io"
	"net/http"
	"slices"
	"time"
)

const (
	apiVersion      = "2021-05-15"
	actionListTasks = "ListTasks"
	dateForm        = "2006-01-02T15:04:05Z"
	dateTolerance   = 15 * time.Minute
	maxRequestBody  = 1 << 20
)

// Key is an access key pair of the simulated account. With a SecurityToken it
// is a temporary one: calls must send and sign the token.
type Key struct {
	ID, Secret, SecurityToken string
	NoPermission              bool // the key is good, the policy does not allow ListTasks
}

// verify checks everything about a call that is not a parameter of ListTasks.
func (s *Server) verify(r *http.Request, now time.Time) *refusal {
	header := r.Header.Get
	switch {
	case r.Method != http.MethodPost && r.Method != http.MethodGet:
		return refusef("UnsupportedHTTPMethod", "This http method is not supported.")
	case r.URL.Path != "/":
		return refusef("InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	case header("X-Acs-Version") != apiVersion:
		return refusef("InvalidVersion", "Specified parameter Version is not valid.")
	case header("X-Acs-Action") != actionListTasks:
		return refusef("InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	}
	auth, ok := parseAuthorization(header("Authorization"))
	if !ok {
		return refusef("IncompleteSignature", "The request signature does not conform to Alibaba Cloud standards.")
	}
	if name := unsignedHeader(r, auth.signed); name != "" {
		return refusef("IncompleteSignature", "The header %s must be signed.", name)
	}
	date, ok := parseDate(header("X-Acs-Date"))
	if !ok {
		return refusef("InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	}
	if now.Sub(date).Abs() > dateTolerance {
		return refusef("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	s.mu.RLock()
	keys := s.keys
	s.mu.RUnlock()
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == auth.keyID })
	if i < 0 {
		return refusef("InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	key := keys[i]
	if got := header("X-Acs-Security-Token"); got != key.SecurityToken {
		if got == "" {
			return refusef("MissingSecurityToken", "SecurityToken is mandatory for this action.")
		}
		return refusef("InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.")
	}
	if header("X-Acs-Signature-Nonce") == "" {
		return refusef("MissingParameter.SignatureNonce", "The header x-acs-signature-nonce is mandatory for this action.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody))
	if err != nil || len(body) == maxRequestBody {
		return refusef("InvalidRequest.Body", "The body cannot be read.")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if header("X-Acs-Content-Sha256") != hexSum(body) {
		return refusef("SignatureDoesNotMatch", "The header x-acs-content-sha256 does not match the body.")
	}
	canonical, ok := canonicalRequest(r, auth.signed)
	if !ok || !hmac.Equal([]byte(auth.signature), []byte(sign(key.Secret, canonical))) {
		return refusef("SignatureDoesNotMatch", "Specified signature is not matched with our calculation. "+
			"server StringToSign is [%s\n%s], server CanonicalRequest is [%s]", algorithm, hexSum([]byte(canonical)), canonical)
	}
	// Only a signed nonce counts: nobody else can use up one.
	if !s.nonces.use(auth.keyID+" "+header("X-Acs-Signature-Nonce"), now) {
		return refusef("SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	if key.NoPermission {
		return refusef("NoPermission", "You are not authorized to do this action. Resource: acs:cloudsso:*:*:directory/%s Action: cloudsso:ListTasks",
			r.URL.Query().Get("DirectoryId"))
	}
	return nil
}

// parseDate reads a time in the reference's form to the letter. time.Parse alone
// is lenient: it takes fractions of a second and one-digit hours.
func parseDate(text string) (time.Time, bool) {
	date, err := time.Parse(dateForm, text)
	return date, err == nil && date.Format(dateForm) == text
}
