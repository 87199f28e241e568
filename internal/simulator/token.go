package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/url"

	"cloudsso_exporter/internal/task"
)

// position is what a NextToken says: where its page begins.
type position struct {
	Page  int     `json:"p"`           // 1 is the first of the read
	Index int     `json:"i,omitempty"` // entries before it
	After *cursor `json:"a,omitempty"` // the last entry before it, when tokens are cursors
	Salt  uint32  `json:"r"`           // two tokens for one page differ
}

// cursor is the place of a record in the order of its directory.
type cursor struct {
	Rank int64  `json:"v"`
	ID   string `json:"i"`
}

// before reports whether the place comes before the record in a list.
func (c cursor) before(r *Record, order Order) bool {
	compared := byRank(&Record{Task: task.Task{ID: c.ID}, rank: c.Rank}, r)
	return compared < 0 && order != NewestFirst || compared > 0 && order == NewestFirst
}

const tokenMAC = 12 // bytes

// token writes a NextToken that is good for a call with these parameters only.
func token(params url.Values, p position) string {
	p.Salt = rand.Uint32()
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers and strings alone: cannot happen
	}
	return base64.RawURLEncoding.EncodeToString(append(tokenSum(params, body), body...))
}

// parseToken reads the NextToken, or begins a read where there is none.
func parseToken(params url.Values) (position, *refusal) {
	text := params.Get("NextToken")
	if text == "" {
		return position{Page: 1}, nil
	}
	var p position
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < tokenMAC || !hmac.Equal(raw[:tokenMAC], tokenSum(params, raw[tokenMAC:])) ||
		json.Unmarshal(raw[tokenMAC:], &p) != nil {
		return p, refusef("InvalidParameter.NextToken",
			"The NextToken is unknown, or the settings of the other request parameters were not maintained.")
	}
	return p, nil
}

// tokenSum binds the token to the other parameters.
func tokenSum(params url.Values, body []byte) []byte {
	others := maps.Clone(params)
	others.Del("NextToken")
	mac := hmac.New(sha256.New, []byte("simulator"))
	mac.Write([]byte(others.Encode()))
	mac.Write(body)
	return mac.Sum(nil)[:tokenMAC]
}
