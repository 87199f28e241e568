package apiclient

import (
	"context"
	"log/slog"
)

// Keys sign a request. Keys are a KeySource of themselves.
type Keys struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string // empty for a key pair
}

// KeySource gives the keys to sign with. It may be used by several goroutines at once.
type KeySource interface {
	// Keys returns keys that are valid now. It stops waiting with ctx.
	Keys(ctx context.Context) (Keys, error)
}

// refusable is a KeySource that wants to know when the API does not accept its keys.
type refusable interface{ Refused(Keys) }

// Keys returns k.
func (k Keys) Keys(context.Context) (Keys, error) { return k, nil }

// String hides everything: keys are not for printing.
func (Keys) String() string { return "keys (hidden)" }

// GoString is String, for %#v.
func (k Keys) GoString() string { return k.String() }

// LogValue is String, for handlers that would take the struct apart.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }
