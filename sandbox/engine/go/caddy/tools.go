//go:build tools

// Package tools names what is built: caddy, at the version that go.mod pins.
package tools

import _ "github.com/caddyserver/caddy/v2/cmd/caddy"
