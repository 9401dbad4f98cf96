//go:build tools

// Package tools names what is built: actionlint, at the version that go.mod pins.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
