//go:build tools

// Package tools names what is built: versitygw, at the version that go.mod pins.
package tools

import _ "github.com/versity/versitygw/cmd/versitygw"
