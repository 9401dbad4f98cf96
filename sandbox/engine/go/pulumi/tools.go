//go:build tools

// Package tools names what is built: the engine, at the version that go.mod pins.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
