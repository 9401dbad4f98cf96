//go:build tools

// Package tools names what is built: pebble, at the version that go.mod pins.
package tools

import _ "github.com/letsencrypt/pebble/v2/cmd/pebble"
